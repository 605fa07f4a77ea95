"""Composes what changed on the screen, and nothing else.

Textual's own compositor asks every widget on the screen for all of its rows, whatever changed;
most of what a frame of a streaming answer costs is spent on rows that are not drawn. Here a widget
is asked for those rows alone that an update will draw.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class RowCompositor(Compositor):
    """Textual's compositor, with partial updates that cost what they draw."""

    def __init__(self) -> None:
        super().__init__()
        self._areas: list[Region] | None = None  # what is to be drawn; None for everything

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return an update of what is dirty, None if nothing is."""
        self._areas = list(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._areas = None

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if self._areas is None:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            for top, bottom in _runs(shown, self._areas):
                # Whole rows: Textual cuts them into columns by the widget's own edge.
                rows = Region(shown.x, top, shown.width, bottom - top)
                yield region, rows, widget.render_lines(rows.translate(-region.offset))


def _runs(shown: Region, areas: Iterable[Region]) -> list[tuple[int, int]]:
    """Return the rows of `shown` that `areas` touch: first ones, and the ones after the last."""
    runs: list[tuple[int, int]] = []
    touched = (shown.intersection(area) for area in areas)
    for top, bottom in sorted((part.y, part.bottom) for part in touched if part):
        if runs and top <= runs[-1][1]:
            runs[-1] = runs[-1][0], max(bottom, runs[-1][1])
        else:
            runs.append((top, bottom))
    return runs
