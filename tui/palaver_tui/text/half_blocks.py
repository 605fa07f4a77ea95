"""Pictures as lines of half blocks: a cell shows two pixels, one above the other. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from palaver_tui.text.spans import Face, Line, Span

HALF_BLOCK = "▀"


class Grid(NamedTuple):
    """The size in pixels that a picture is drawn in. A cell is one wide and two tall."""

    columns: int
    pixel_rows: int

    @property
    def rows(self) -> int:
        """The height in lines."""
        return (self.pixel_rows + 1) // 2


class Pixels(NamedTuple):
    """A picture scaled to its grid: four bytes (RGBA) a pixel, row by row."""

    grid: Grid
    rgba: bytes


def is_drawing(line: Line) -> bool:
    """Return whether a line is part of a picture: it has no text to copy."""
    return any(span.face.pixels is not None for span in line.spans)


def half_block_lines(pixels: Pixels) -> Iterator[Line]:
    """Yield the lines of a picture."""
    columns, pixel_rows = pixels.grid
    found = [
        int.from_bytes(pixels.rgba[at : at + 4], "big") for at in range(0, len(pixels.rgba), 4)
    ]
    for top in range(0, pixel_rows, 2):
        upper = found[top * columns : (top + 1) * columns]
        # Below an odd last row the lower half is transparent.
        lower = found[(top + 1) * columns : (top + 2) * columns] or [0] * columns
        yield Line(
            tuple(
                Span(HALF_BLOCK * len(list(run)), Face("rule", pixels=cell))
                for cell, run in groupby(zip(upper, lower, strict=True))
            )
        )
