"""The finished blocks of a text under each other, each laid out when it is looked at.

Until then a block is only expected to take so many lines. What stands above the place that one
looks at may so turn out higher or lower: who keeps a place names it by its block.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from palaver_tui.text.markdown.splitter import SourceBlock
from palaver_tui.text.spans import BLANK, FOREVER, Line, Span

# Stands for a line that is expected. Not `BLANK`: a gap below that one would be left out.
EXPECTED = Line((Span(" "),))


class Splice(NamedTuple):
    """`removed` lines from line `at` on gave way to `added`."""

    at: int
    removed: int
    added: Sequence[Line]


def expected_height(source: str, width: int) -> int:
    """Guess how many lines of `width` cells a block takes."""
    return sum(1 + max(0, len(row) - 1) // width for row in source.split("\n"))


class FinishedBlocks:
    """Finished blocks; `lines` begins with theirs, and what comes after `solid` is not theirs."""

    def __init__(self, draw: Callable[[SourceBlock], list[Line]]) -> None:
        self.lines: list[Line] = []
        self.solid = 0  # lines
        self.laid: list[SourceBlock] = []
        self.firsts: list[int] = []  # the first line of each, a gap above it not counted
        self.expected: set[int] = set()  # the numbers of those that were not looked at
        self.rough: set[int] = set()  # of those that still look as they did while they grew
        self._heights: list[int] = []
        self._draw = draw

    def clear(self) -> None:
        """Forget all."""
        self.lines.clear()
        self.laid.clear()
        self.firsts.clear()
        self.expected.clear()
        self.rough.clear()
        self._heights.clear()
        self.solid = 0

    def add(self, piece: SourceBlock) -> None:
        """Append a block, laid out."""
        self._append(piece, self._draw(piece))

    def expect(self, piece: SourceBlock, width: int) -> None:
        """Append a block that is laid out later."""
        self.expected.add(len(self.laid))
        self._append(piece, [EXPECTED] * expected_height(piece.source, width))

    def keep(self, piece: SourceBlock, lines: list[Line]) -> None:
        """Append a block as it looked while it grew: it is laid out later, and then `put`."""
        self.rough.add(len(self.laid))
        self._append(piece, lines)

    def put(self, number: int, lines: list[Line]) -> list[Splice]:
        """Lay out a block that was kept; return what changed."""
        known = {number: lines}
        return self._look(0, FOREVER, 0, known) if number in self.rough else []

    def _append(self, piece: SourceBlock, lines: list[Line]) -> None:
        del self.lines[self.solid :]
        if lines and piece.gap and self.lines:
            self.lines.append(BLANK)
        self.laid.append(piece)
        self.firsts.append(len(self.lines))
        self._heights.append(len(lines))
        self.lines += lines
        self.solid = len(self.lines)

    def look(self, low: int, high: int, most: int | None = None) -> list[Splice]:
        """Lay out what is expected in lines `low` to `high`; return what changed, in order.

        The lines count as they are when it is done. `most` is the number of characters of source
        after which no further block is begun.
        """
        return self._look(low, high, most, {}) if self.expected else []

    def _look(
        self, low: int, high: int, most: int | None, known: dict[int, list[Line]]
    ) -> list[Splice]:
        splices: list[Splice] = []
        at = end = taken = 0  # the line after the block before: as it is now, and as it was
        for number, piece in enumerate(self.laid):
            first, height = self.firsts[number], self._heights[number]
            gap, before = first - end, height
            end = first + height
            lines = known.get(number)
            in_view = at < high and at + gap + height > low
            if in_view and number in self.expected and (most is None or taken < most):
                lines = self._draw(piece)
                taken += len(piece.source)
            if lines is not None:
                height = len(lines)
                self.expected.discard(number)
                self.rough.discard(number)
            wanted = int(height > 0 and piece.gap and at > 0)
            if lines is not None or wanted != gap:
                removed = gap if lines is None else gap + before
                splice = Splice(at, removed, [BLANK] * wanted + (lines or []))
                self.lines[at : at + removed] = splice.added
                splices.append(splice)
            self.firsts[number], self._heights[number] = at + wanted, height
            at += wanted + height
        if splices:
            self.solid = at
        return splices

    def name(self, line: int) -> tuple[int, int] | None:
        """Return the block of a line, by where its source starts, and the line counted from it.

        A gap belongs to the block below. None for a line of no finished block.
        """
        number = self.number_of(line)
        return None if number is None else (self.laid[number].start, line - self.firsts[number])

    def number_of(self, line: int) -> int | None:
        """Return the number of the block of a line; as for `name`."""
        if line >= self.solid:
            return None
        number = max(0, bisect_right(self.firsts, line) - 1)
        if line >= self.firsts[number] + self._heights[number] and number + 1 < len(self.laid):
            number += 1
        return number

    def at_source(self, offset: int) -> int | None:
        """Return the number of the last block that starts at `offset` or before; None for none."""
        number = bisect_right(self.laid, offset, key=lambda piece: piece.start) - 1
        return number if number >= 0 else None
