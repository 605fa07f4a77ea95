"""What sets lines in: the marks of items and quotes, however many are around each other.

Where a level more would leave too little room for text, its lines are not set in any further, and
its mark stands in the margin of the level around it. So what nests deep is drawn in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.text.wrap import clip

MIN_WIDTH = 8  # columns left for text however deep lists and quotes nest
BULLETS = "•◦▪"


class Around(NamedTuple):
    """What a text is in: so many lists, and so many levels of the parser's."""

    lists: int = 0
    level: int = 0

    def in_item(self) -> Around:
        """Return what the text of an item is in: a list and its item are a level each."""
        return Around(self.lists + 1, self.level + 2)

    def in_quote(self) -> Around:
        """Return what the text of a quote is in."""
        return Around(self.lists, self.level + 1)


TOP = Around()


class Nest(NamedTuple):
    """What sets lines in: the mark before the first one, and what stands before the others."""

    mark: Span
    prefix: Span
    is_item: bool
    outer: Around

    def has_room(self, width: int) -> bool:
        """Say whether lines of `width` cells are set in: enough is left, or nothing is around."""
        return self.outer == TOP or width - len(self.prefix.text) >= MIN_WIDTH

    def inner(self, width: int) -> int:
        """Return the cells that are left of `width`."""
        if not self.has_room(width):
            return width
        return max(MIN_WIDTH, width - len(self.prefix.text))


def quote_nest(outer: Around) -> Nest:
    """Return how a quote sets its lines in."""
    bar = Span("▎ ", Face("rule"))
    return Nest(bar, bar, is_item=False, outer=outer)


def item_nest(number: int | None, outer: Around) -> Nest:
    """Return how an item does, with its number, or None for a bullet."""
    # Two columns for a number keep the text of items 1 to 99 in one column.
    mark = f" {BULLETS[outer.lists % len(BULLETS)]} " if number is None else f"{number:>2}. "
    prefix = Span(" " * len(mark), Face())
    return Nest(Span(mark, Face("accent")), prefix, is_item=True, outer=outer)


def set_in(lines: Sequence[Line], nest: Nest, width: int, *, first: bool = True) -> list[Line]:
    """Set `lines` in, of `width` cells with all; `first` says that they begin with the first one.

    A nest that has no room gives its lines the mark to hang, for one around it that has.
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
    """Return a mark from further in as it stands in the margin `prefix`, or that."""
    if hanging is None:
        return prefix
    room = len(prefix.text) - 1
    mark = hanging.text.strip()
    mark = mark if len(mark) <= room else clip(mark.rstrip("."), room)
    return Span(f"{mark:>{room}} ", hanging.face)
