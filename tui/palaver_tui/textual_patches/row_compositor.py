"""Composes what changed on the screen, and nothing else.

Textual's own compositor asks every widget on the screen for all of its rows, whatever changed.
Without this most of what a frame of a streaming answer costs is spent on rows that are not drawn,
or that another widget covers. Here a widget is asked for those rows alone of which something will
show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class RowCompositor(Compositor):
    """Textual's compositor, with partial updates that cost what they draw."""

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[int, int] | None = None  # what is to be drawn; None for everything

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return an update of what is dirty, None if nothing is."""
        self._open = _cells(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._open = None

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if self._open is None:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            for top, bottom in _take(shown, self._open):
                # Whole rows: Textual cuts them into columns by the widget's own edge.
                rows = Region(shown.x, top, shown.width, bottom - top)
                yield region, rows, widget.render_lines(rows.translate(-region.offset))


def _cells(areas: Iterable[Region]) -> dict[int, int]:
    """Return the cells of `areas`: the rows, and for each of them a bit for each column."""
    cells: dict[int, int] = {}
    for area in areas:
        columns = _columns(area)
        for y in area.line_range:
            cells[y] = cells.get(y, 0) | columns
    return dict(sorted(cells.items()))


def _take(shown: Region, cells: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Take what is `shown` out of `cells`: it covers what comes after, which lies behind it.

    Yield the rows in which something was taken: first ones, and the ones after the last.
    """
    columns = _columns(shown)
    touched = [y for y, left in cells.items() if left & columns and shown.y <= y < shown.bottom]
    first = 0
    for number, y in enumerate(touched, 1):
        cells[y] &= ~columns
        if number == len(touched) or touched[number] != y + 1:
            yield touched[first], y + 1
            first = number


def _columns(region: Region) -> int:
    return (1 << region.right) - (1 << region.x)
