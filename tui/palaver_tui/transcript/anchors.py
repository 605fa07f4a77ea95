"""What holds still in a viewport while the text around it, and its own block, is set anew.

An `Anchor` names a line by its block and its number there, which costs nothing. But a block that
grows may be set anew (a table whose columns became wider), and one that is finished always is:
then another line has that number. So before something changes one notes what the line says; if it
says something else afterwards, its words are looked for, by their place in the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from palaver_tui.text.document import MarkdownDocument
from palaver_tui.text.source.trace_cache import DrawnLine
from palaver_tui.text.spans import FOREVER
from palaver_tui.transcript.column import Anchor, Column
from palaver_tui.transcript.positions import NEAR, Point, place_of, point_on

End = Literal["first", "last"]


class HeldWords:
    """A line, held by the first or last words there are on it or next to it."""

    def __init__(self, lines: int, anchor: Anchor, text: str, held: DrawnLine, end: End) -> None:
        """The line with the words has the name `anchor` and says `text`.

        It is `lines` away from the line that is held: below it, or above it for the last words.
        """
        self._lines = lines
        self._anchor = anchor
        self._text = text
        self._held = held
        self._end = end
        self._offset: int | None = None  # of the words, once it had to be found out

    @property
    def name(self) -> Anchor:
        """The name of a line that is held by words above it."""
        return self._anchor._replace(below=self._anchor.below + self._lines)

    def moved(self, column: Column) -> bool:
        """Look where the words are now; return whether that is another line than it was named."""
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
        """Return the name of the line that is held by words below it."""
        y = column.position(self._anchor)
        return column.anchor(max(0, y - self._lines)) if y is not None else None


def hold_words(column: Column, y: int, end: End = "first") -> HeldWords | None:
    """Note what line `y` says; None if nothing will move it but what its anchor knows of."""
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
    """The two lines of a column that a viewport holds on to while somebody reads.

    `top` names the first line in view. The other is the line that was the last one when the end was
    left: what is below it is new.
    """

    def __init__(self, column: Column) -> None:
        self.top: Anchor | None = None
        self._column = column
        self._top_words: HeldWords | None = None  # since somebody scrolled
        self._end: Anchor | None = None
        self._end_words: HeldWords | None = None
        self._resized: Point | None = None  # the word that a new width has put at the top

    def scrolled(self) -> None:
        """Somebody scrolled: other words are at the top."""
        self._top_words = self._resized = None

    @contextmanager
    def holding(self, top: int | None) -> Iterator[None]:
        """Note the words at line `top` before a change and find them after it.

        Without a line nothing is noted: it needs no care while the end is followed.
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
        """Note which line is the last one."""
        y = self._column.height - 1
        self._end_words = hold_words(self._column, y, "last")
        words = self._end_words
        self._end = words.name if words is not None else self._column.anchor(y)

    def at_end(self) -> None:
        """The end is followed: nothing is new."""
        self._end = self._end_words = self._resized = None

    @property
    def new_lines(self) -> int:
        """The lines below the one that was the last one; 0 if it is gone."""
        seen = self._column.position(self._end) if self._end is not None else None
        return 0 if seen is None else max(0, self._column.height - 1 - seen)

    # --- a new width ----------------------------------------------------------------------

    def word_at_top(self) -> Point | None:
        """Return the first word in view, before the width changes.

        As long as nobody scrolls that is the one before the first of several widths, so that it
        does not drift.
        """
        if self._resized is not None:
            return self._resized
        top = self._column.position(self.top) if self.top is not None else None
        return point_on(self._column, top) if top is not None else None

    def find_in_new_width(self, word: Point | None) -> None:
        """Find both lines after the width changed; `word` is what was first in view."""
        column = self._column
        self._find()
        if self._end is not None and (seen := column.find(self._end)) is not None:
            column.measure(seen, FOREVER)  # what is new is counted
        place = place_of(column, word) if word is not None else None
        self._resized = word if place is not None else None
        if place is not None:
            self.top = column.anchor(place.y)
