"""Indentation of lines in nested items and quotes, with their marks.

If one more level would leave too little room for text, its lines are not indented further, and its
mark goes into the margin of the level around it. So deeply nested text is drawn in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.text.wrap import clip

MIN_WIDTH = 8  # cells left for text, however deep lists and quotes nest
BULLETS = "•◦▪"


class Around(NamedTuple):
    """The containers around a text: the number of lists, and of levels of the parser."""

    lists: int = 0
    level: int = 0

    def in_item(self) -> Around:
        """Return the containers of an item's text: a list and its item are a level each."""
        return Around(self.lists + 1, self.level + 2)

    def in_quote(self) -> Around:
        """Return the containers of a quote's text."""
        return Around(self.lists, self.level + 1)


TOP = Around()


class Nest(NamedTuple):
    """The indentation by one container: the mark of the first line, the prefix of the others."""

    mark: Span
    prefix: Span
    is_item: bool
    outer: Around

    def has_room(self, width: int) -> bool:
        """Return whether lines of `width` cells are indented: room is left, or it is the top."""
        return self.outer == TOP or width - len(self.prefix.text) >= MIN_WIDTH

    def inner(self, width: int) -> int:
        """Return the cells that are left of `width` for text."""
        if not self.has_room(width):
            return width
        return max(MIN_WIDTH, width - len(self.prefix.text))


def quote_nest(outer: Around) -> Nest:
    """Return the nest of a quote."""
    bar = Span("▎ ", Face("rule"))
    return Nest(bar, bar, is_item=False, outer=outer)


def item_nest(number: int | None, outer: Around) -> Nest:
    """Return the nest of an item with a number, None for a bullet."""
    # Two columns for a number keep the text of items 1 to 99 in one column.
    mark = f" {BULLETS[outer.lists % len(BULLETS)]} " if number is None else f"{number:>2}. "
    prefix = Span(" " * len(mark), Face())
    return Nest(Span(mark, Face("accent")), prefix, is_item=True, outer=outer)


def set_in(lines: Sequence[Line], nest: Nest, width: int, *, first: bool = True) -> list[Line]:
    """Return `lines` indented, in `width` cells altogether.

    `first`: they include the container's first line, which gets the mark. If there is no room, the
    mark becomes the line's `hanging`, for the margin of an outer container that has room.
    """
    margins = [nest.mark if first and not index else None for index in range(len(lines))]
    if nest.has_room(width):
        return [
            line.after(margin or _fitted(line.hanging, nest.prefix))
            for line, margin in zip(lines, margins, strict=True)
        ]
    bar = None if nest.is_item else nest.prefix
    return [
        line._replace(hanging=margin or line.hanging or bar)
        for line, margin in zip(lines, margins, strict=True)
    ]


def _fitted(hanging: Span | None, prefix: Span) -> Span:
    """Return an inner container's mark, fitted into the margin `prefix`; without one, `prefix`."""
    if hanging is None:
        return prefix
    room = len(prefix.text) - 1
    mark = hanging.text.strip()
    mark = mark if len(mark) <= room else clip(mark.rstrip("."), room)
    return Span(f"{mark:>{room}} ", hanging.face)
