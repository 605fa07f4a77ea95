"""Picture of a call: a line with its caption, and the picture once it is decoded. Pure."""

from __future__ import annotations

from typing import NamedTuple

from palaver.wire.messages import Picture
from palaver_tui.text.half_blocks import Grid, Pixels, half_block_lines
from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.text.wrap import clip

# Rows of cells. In a window of 24 rows, something above and below the picture stays in view.
MOST_ROWS = 20


def grid_of(picture: Picture, width: int) -> Grid:
    """Return the size of a picture in `width` cells: in its proportions, never enlarged."""
    columns, pixel_rows = picture.width, picture.height
    if columns > width:
        columns, pixel_rows = width, picture.height * width // picture.width
    if pixel_rows > 2 * MOST_ROWS:
        columns, pixel_rows = picture.width * 2 * MOST_ROWS // picture.height, 2 * MOST_ROWS
    return Grid(max(1, columns), max(1, pixel_rows))


def caption(picture: Picture) -> str:
    """Return the caption of a picture: kind, size and bytes."""
    size = len(picture.data)
    amount = f"{size} B" if size < 1000 else f"{(size + 500) // 1000} kB"
    return f"picture: {picture.kind} {picture.width}×{picture.height}, {amount}"


class Drawing(NamedTuple):
    """Lines, and the size to decode the picture in; None if it need not be decoded."""

    lines: list[Line]
    wanted: Grid | None


class PictureBox:
    """A picture's caption and its lines, which are reserved from the first layout on."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.unreadable = False  # it cannot be decoded: only the caption is shown
        self._pixels: Pixels | None = None

    def put(self, pixels: Pixels | None) -> None:
        """Store the decoded picture; None if it cannot be decoded."""
        self._pixels, self.unreadable = pixels, pixels is None

    def draw(self, width: int, draws: bool) -> Drawing:
        """Lay out in `width` cells, the caption first. `draws`: the terminal can show pictures."""
        name = Line((Span(clip(caption(self.picture), width), Face("link", underline=True)),))
        if self.unreadable or not draws:
            return Drawing([name], None)
        grid = grid_of(self.picture, width)
        if self._pixels is None or self._pixels.grid != grid:
            return Drawing([name] + [Line()] * grid.rows, grid)
        return Drawing([name, *half_block_lines(self._pixels)], None)
