"""Compositor that renders only changed rows.

Textual's compositor asks every widget on the screen for all of its rows, whatever changed. Without
this most of the cost of a frame of a streaming answer is for rows that are not drawn, or that
another widget covers. Here a widget is asked only for rows of which a changed cell is visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class RowCompositor(Compositor):
    """Textual's compositor, with partial updates that render only changed rows."""

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[int, int] | None = None  # cells that are still to be drawn; None for all

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return an update of the dirty regions, None if there are none."""
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
                # Whole rows: Textual cuts them relative to the widget's own edge.
                rows = Region(shown.x, top, shown.width, bottom - top)
                yield region, rows, widget.render_lines(rows.translate(-region.offset))


def _cells(areas: Iterable[Region]) -> dict[int, int]:
    """Return the cells of `areas`, by row: an integer with a bit for each column."""
    cells: dict[int, int] = {}
    for area in areas:
        columns = _columns(area)
        for y in area.line_range:
            cells[y] = cells.get(y, 0) | columns
    return dict(sorted(cells.items()))


def _take(shown: Region, cells: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Remove the region `shown` from `cells`: it covers the widgets that come after, behind it.

    Yield the runs of rows in which cells were removed: the first row, and the one after the last.
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
