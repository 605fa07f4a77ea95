"""Scroll bar updates that draw only the cells where the thumb changes.

Textual draws the whole bar whenever its position or the height changes. Without this every new line
of an answer draws it again, although its thumb hardly moves in a longer chat.
"""

from __future__ import annotations

from math import ceil

from textual.geometry import Region
from textual.scrollbar import ScrollBar

PARTS = 8  # of a cell: the resolution of a thumb's ends in Textual


def move_bar(bar: ScrollBar, height: int, top: int) -> None:
    """Set the bar's position: line `top` of `height` is the first in view."""
    before = _thumb(bar)
    bar.set_reactive(ScrollBar.window_virtual_size, height)
    bar.set_reactive(ScrollBar.position, bar.validate_position(top))
    ends = zip(before, _thumb(bar), strict=True)
    moved = [(min(end) // PARTS, max(end) // PARTS) for end in ends if end[0] != end[1]]
    if moved:
        width = bar.size.width
        bar.refresh(*(Region(0, first, width, last - first + 1) for first, last in moved))


def _thumb(bar: ScrollBar) -> tuple[int, int]:
    """Return the thumb's start and end, in parts of a cell, as Textual computes them."""
    rows, window, whole = bar.size.height, bar.window_size, bar.window_virtual_size
    if not rows or not 0 < window < whole:
        return 0, 0
    size = max(1, window / (whole / rows))
    start = int((rows - size) * (bar.position / (whole - window)) * PARTS)
    return start, start + ceil(size * PARTS)
