"""Anchors of a viewport: its first line stays in place while its text is laid out again.

An `Anchor` names a line by its block and its number in it, which costs nothing. But an open block
may be laid out again (a table with wider columns), and a finished one always is: then another line
has that number. So the line's text is stored before a change; if the line has another text
afterwards, its words are found by their offset in the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from palaver_tui.text.document import MarkdownDocument
from palaver_tui.text.source.trace_cache import DrawnLine
from palaver_tui.text.spans import FOREVER
from palaver_tui.transcript.column import Anchor, Column
from palaver_tui.transcript.positions import Point, place_of, point_on

End = Literal["first", "last"]
# A line without words (a gap, a border) is named by words at most so many lines away.
NEAR = 4


class HeldWords:
    """A line, named by the first or last words on it or next to it."""

    def __init__(self, lines: int, anchor: Anchor, text: str, held: DrawnLine, end: End) -> None:
        """Name a line by words `lines` below it, or above it for the last words.

        The line with the words has the anchor `anchor` and the text `text`.
        """
        self._lines = lines
        self._anchor = anchor
        self._text = text
        self._held = held
        self._end = end
        self._offset: int | None = None  # of the words in the source, once it was needed

    @property
    def name(self) -> Anchor:
        """The anchor of a line that is named by words above it."""
        return self._anchor._replace(below=self._anchor.below + self._lines)

    def moved(self, column: Column) -> bool:
        """Find the words in the column; return whether they are on another line than before."""
        y = column.find(self._anchor)
        if y is None or column.line(y)[2].text.startswith(self._text):
            return False
        if self._offset is None:
            held = self._held
            self._offset = held.first() if self._end == "first" else held.last()
        if self._offset is None:
            return False
        key, spot, line = self._anchor.key, self._anchor.spot, self._anchor.line
        place = place_of(column, Point(key, spot, 0, line, self._offset))
        anchor = column.anchor(place.y) if place is not None else None
        if place is None or anchor is None:
            return False
        self._anchor, self._text = anchor, column.line(place.y)[2].text.rstrip()
        return True

    def top(self, column: Column) -> Anchor | None:
        """Return the anchor of the line that is named by words below it."""
        y = column.position(self._anchor)
        return column.anchor(max(0, y - self._lines)) if y is not None else None


def hold_words(column: Column, y: int, end: End = "first") -> HeldWords | None:
    """Return line `y` with its words; None if its anchor alone is enough to find it again."""
    section, number, _line = column.line(y)
    if section is None:
        return None
    step = 1 if end == "first" else -1
    for lines in range(NEAR):
        at = number + step * lines
        if not 0 <= at < section.height:
            return None
        block, line = section.stack.place(at)
        if not isinstance(block.laid, MarkdownDocument):
            if step > 0:
                return None
            continue
        text = column.line(y + step * lines)[2].text.rstrip()
        if any(map(str.isalnum, text)):
            anchor, held = column.anchor(y + step * lines), block.laid.held(line)
            return (
                None
                if anchor is None or held is None
                else HeldWords(lines, anchor, text, held, end)
            )
    return None


class Anchors:
    """The two lines of a column that a viewport tracks while the user reads.

    `top` is the anchor of the first line in view. The other one is the line that was the last when
    the end was left: the lines below it are new.
    """

    def __init__(self, column: Column) -> None:
        self.top: Anchor | None = None
        self._column = column
        self._top_words: HeldWords | None = None  # since the user last scrolled
        self._end: Anchor | None = None
        self._end_words: HeldWords | None = None
        self._resized: Point | None = None  # the word that a new width has put at the top

    def scrolled(self) -> None:
        """Discard the words at the top: the user scrolled."""
        self._top_words = self._resized = None

    @contextmanager
    def holding(self, top: int | None) -> Iterator[None]:
        """Store the words at line `top` before a change and find them after it.

        None while the end is followed: then the first line need not stay.
        """
        if top is None:
            self._top_words = None
        elif self._top_words is None:
            self._top_words = hold_words(self._column, top)
        yield
        self._find()

    def _find(self) -> None:
        column = self._column
        if self._end_words is not None and self._end_words.moved(column):
            self._end = self._end_words.name
        if self._top_words is not None and self._top_words.moved(column):
            self.top = self._top_words.top(column) or self.top

    def leave_end(self) -> None:
        """Store the last line: the end is no longer followed."""
        y = self._column.height - 1
        self._end_words = hold_words(self._column, y, "last")
        words = self._end_words
        self._end = words.name if words is not None else self._column.anchor(y)

    def at_end(self) -> None:
        """Discard the last line: the end is followed, so no line is new."""
        self._end = self._end_words = self._resized = None

    @property
    def new_lines(self) -> int:
        """The number of lines below the one stored by `leave_end`; 0 if that is gone."""
        seen = self._column.position(self._end) if self._end is not None else None
        return 0 if seen is None else max(0, self._column.height - 1 - seen)

    # --- a new width ----------------------------------------------------------------------

    def word_at_top(self) -> Point | None:
        """Return the first word in view, before the width changes.

        After several changes without scrolling it is that before the first change, so that the
        position does not drift.
        """
        if self._resized is not None:
            return self._resized
        top = self._column.position(self.top) if self.top is not None else None
        return point_on(self._column, top) if top is not None else None

    def find_in_new_width(self, word: Point | None) -> None:
        """Find both lines after the width changed; `word` was the first word in view."""
        column = self._column
        self._find()
        if self._end is not None and (seen := column.find(self._end)) is not None:
            column.measure(seen, FOREVER)  # exact heights, to count the new lines
        place = place_of(column, word) if word is not None else None
        self._resized = word if place is not None else None
        if place is not None:
            self.top = column.anchor(place.y)
