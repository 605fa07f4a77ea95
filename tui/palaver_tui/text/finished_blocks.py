"""The finished blocks of a text, each laid out when it comes into view.

Until then the height of a block is an estimate. Line numbers change when a block above turns out
higher or lower: a place that has to stay valid is named by its block.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from palaver_tui.text.markdown.splitter import SourceBlock
from palaver_tui.text.spans import BLANK, FOREVER, Line, Span

# Placeholder of a line that is estimated. Not `BLANK`: a gap below a blank line is left out.
EXPECTED = Line((Span(" "),))


class Splice(NamedTuple):
    """A change of lines: `removed` lines from line `at` on were replaced by `added`."""

    at: int
    removed: int
    added: Sequence[Line]


def expected_height(source: str, width: int) -> int:
    """Return an estimate of the lines of `width` cells that a block takes."""
    return sum(1 + max(0, len(row) - 1) // width for row in source.split("\n"))


class FinishedBlocks:
    """Finished blocks. Their lines are the first `solid` ones of `lines`."""

    def __init__(self, draw: Callable[[SourceBlock], list[Line]]) -> None:
        self.lines: list[Line] = []
        self.solid = 0  # lines
        self.laid: list[SourceBlock] = []
        self.firsts: list[int] = []  # the first line of each, after the gap above it
        self.expected: set[int] = set()  # the numbers of those that are only estimated
        self.rough: set[int] = set()  # of those that still look as they did while they were open
        self._heights: list[int] = []
        self._draw = draw

    def clear(self) -> None:
        """Discard all blocks."""
        self.lines.clear()
        self.laid.clear()
        self.firsts.clear()
        self.expected.clear()
        self.rough.clear()
        self._heights.clear()
        self.solid = 0

    def add(self, piece: SourceBlock) -> None:
        """Lay out a block and append it."""
        self._append(piece, self._draw(piece))

    def expect(self, piece: SourceBlock, width: int) -> None:
        """Append a block with an estimated height; `look` lays it out."""
        self.expected.add(len(self.laid))
        self._append(piece, [EXPECTED] * expected_height(piece.source, width))

    def keep(self, piece: SourceBlock, lines: list[Line]) -> None:
        """Append a block with the lines it had while open; its final ones are `put` later."""
        self.rough.add(len(self.laid))
        self._append(piece, lines)

    def put(self, number: int, lines: list[Line]) -> list[Splice]:
        """Replace the lines of a block that was kept; return what changed."""
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
        """Lay out the estimated blocks in lines `low` to `high`; return what changed, in order.

        `low` and `high` are line numbers after the change. `most` is the number of characters of
        source after which no further block is laid out.
        """
        return self._look(low, high, most, {}) if self.expected else []

    def _look(
        self, low: int, high: int, most: int | None, known: dict[int, list[Line]]
    ) -> list[Splice]:
        splices: list[Splice] = []
        at = end = taken = 0  # the line after the block before: now, and before the change
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
        """Return the number of the block of a line; gaps and None as for `name`."""
        if line >= self.solid:
            return None
        number = max(0, bisect_right(self.firsts, line) - 1)
        if line >= self.firsts[number] + self._heights[number] and number + 1 < len(self.laid):
            number += 1
        return number

    def at_source(self, offset: int) -> int | None:
        """Return the number of the last block that starts at `offset` or before; None if none."""
        number = bisect_right(self.laid, offset, key=lambda piece: piece.start) - 1
        return number if number >= 0 else None
