"""A picture under its call: a line that names it, and the picture once it is decoded. Pure."""

from __future__ import annotations

from typing import NamedTuple

from palaver.wire.messages import Picture
from palaver_tui.text.half_blocks import Grid, Pixels, half_block_lines
from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.text.wrap import clip

# Rows of cells: what is above and below stays in view, also in a window of 24.
MOST_ROWS = 20


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
    """The name of a picture and room for it, which is kept from the first layout on."""

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
        return Drawing([name, *half_block_lines(self._pixels)], None)
