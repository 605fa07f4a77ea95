"""Pictures as lines of half blocks: two pixels to a cell, one above the other. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from palaver.wire.messages import Picture
from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.text.wrap import clip

# Rows of cells: what is above and below stays in view, also in a window of 24.
MOST_ROWS = 20
HALF_BLOCK = "▀"


class Grid(NamedTuple):
    """How many pixels a picture is drawn with. A cell is one wide and two tall."""

    columns: int
    pixel_rows: int

    @property
    def rows(self) -> int:
        """Its height in lines."""
        return (self.pixel_rows + 1) // 2


class Pixels(NamedTuple):
    """A picture as it is drawn: four bytes (RGBA) a pixel, row by row."""

    grid: Grid
    rgba: bytes


def grid_of(picture: Picture, width: int) -> Grid:
    """Return how large a picture is drawn in `width` cells: in its proportions, never enlarged."""
    columns, pixel_rows = picture.width, picture.height
    if columns > width:
        columns, pixel_rows = width, picture.height * width // picture.width
    if pixel_rows > 2 * MOST_ROWS:
        columns, pixel_rows = picture.width * 2 * MOST_ROWS // picture.height, 2 * MOST_ROWS
    return Grid(max(1, columns), max(1, pixel_rows))


def caption(picture: Picture) -> str:
    """Return what a picture is, in words."""
    size = len(picture.data)
    amount = f"{size} B" if size < 1000 else f"{(size + 500) // 1000} kB"
    return f"picture: {picture.kind} {picture.width}×{picture.height}, {amount}"


class Drawing(NamedTuple):
    """Lines, and what has to be decoded to fill them; None if nothing."""

    lines: list[Line]
    wanted: Grid | None


class PictureBox:
    """A picture under its call: a line that names it, and the picture once somebody decoded it.

    Its height does not wait for that: the room is kept from the first layout on.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.unreadable = False  # nobody can show it: its name has to do
        self._pixels: Pixels | None = None

    def put(self, pixels: Pixels | None) -> None:
        """Take what was decoded; None if nothing can be."""
        self._pixels, self.unreadable = pixels, pixels is None

    def draw(self, width: int, draws: bool) -> Drawing:
        """Lay out in `width` cells, its name first. `draws`: the terminal can show pictures."""
        name = Line((Span(clip(caption(self.picture), width), Face("link", underline=True)),))
        if self.unreadable or not draws:
            return Drawing([name], None)
        grid = grid_of(self.picture, width)
        if self._pixels is None or self._pixels.grid != grid:
            return Drawing([name] + [Line()] * grid.rows, grid)
        return Drawing([name, *_rows(self._pixels)], None)


def is_drawing(line: Line) -> bool:
    """Say whether a line is of a picture: there is nothing in it to copy."""
    return any(span.face.pixels is not None for span in line.spans)


def _rows(pixels: Pixels) -> Iterator[Line]:
    columns, pixel_rows = pixels.grid
    found = [
        int.from_bytes(pixels.rgba[at : at + 4], "big") for at in range(0, len(pixels.rgba), 4)
    ]
    for top in range(0, pixel_rows, 2):
        upper = found[top * columns : (top + 1) * columns]
        # Below an odd last row there is nothing: what is behind shows through.
        lower = found[(top + 1) * columns : (top + 2) * columns] or [0] * columns
        yield Line(
            tuple(
                Span(HALF_BLOCK * len(list(run)), Face("rule", pixels=cell))
                for cell, run in groupby(zip(upper, lower, strict=True))
            )
        )
