"""A scroll bar that is drawn where its thumb changes.

Textual draws the whole bar whenever its position or the height changes. Without this every line
that an answer grows by draws it anew, although in a chat of some length its thumb hardly moves.
"""

from __future__ import annotations

from math import ceil

from textual.geometry import Region
from textual.scrollbar import ScrollBar

PARTS = 8  # of a cell: how finely Textual draws a thumb's ends


def move_bar(bar: ScrollBar, height: int, top: int) -> None:
    """Show that line `top` of `height` is the first in view."""
    before = _thumb(bar)
    bar.set_reactive(ScrollBar.window_virtual_size, height)
    bar.set_reactive(ScrollBar.position, bar.validate_position(top))
    ends = zip(before, _thumb(bar), strict=True)
    moved = [(min(end) // PARTS, max(end) // PARTS) for end in ends if end[0] != end[1]]
    if moved:
        width = bar.size.width
        bar.refresh(*(Region(0, first, width, last - first + 1) for first, last in moved))


def _thumb(bar: ScrollBar) -> tuple[int, int]:
    """Return where the thumb begins and ends, in parts of a cell, as Textual reckons it."""
    rows, window, whole = bar.size.height, bar.window_size, bar.window_virtual_size
    if not rows or not 0 < window < whole:
        return 0, 0
    size = max(1, window / (whole / rows))
    start = int((rows - size) * (bar.position / (whole - window)) * PARTS)
    return start, start + ceil(size * PARTS)
