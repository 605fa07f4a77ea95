"""Incremental layout of open code: complete rows are highlighted once, in chunks.

A closed fence is laid out once more as a whole, since a string or a comment may cross chunks.
"""

from __future__ import annotations

import re

from palaver_tui.text.code import code_lines, code_row, highlight, room_for_code, tag_line
from palaver_tui.text.markdown.lines import markdown_lines
from palaver_tui.text.markdown.splitter import INDENTED, OpenFence
from palaver_tui.text.open_block.layout import UNDECIDED, NoTables
from palaver_tui.text.spans import BLANK, Face, Line, Span
from palaver_tui.text.visible import TAB_WIDTH, expand_tabs
from palaver_tui.text.wrap import hard_wrap

# Limits of a chunk, which is highlighted together: they limit the cost of one more token.
CHUNK_LINES = 20
CHUNK_CHARACTERS = 2000
# A longer row (minified, or data) is not highlighted from here on: highlighting all of it again for
# every token would take longer and longer.
PLAIN_FROM = 1000  # characters
# Lines at the end that the next characters may change, as they may join the last one.
_LOOSE_ROWS = 2


class CodeRows:
    """Highlighted rows of a growing text, from an offset on."""

    def __init__(
        self, language: str, width: int, start: int = 0, margin: re.Pattern[str] | None = None
    ) -> None:
        """Begin at the offset `start`; `margin` is removed from the start of each line."""
        self.lines: list[Line] = []
        self._language = language
        self._width = width
        self._margin = margin
        self._kept = 0  # lines up to the end of the last complete chunk
        self._at = start  # offset of the first row after that chunk
        self._whole = 0  # lines up to the end of the last complete row
        self._whole_at = start  # offset of the row after that one
        self._long: _LongRow | None = None  # that row, if it is long

    def update(self, text: str, end: int | None = None) -> int:
        """Lay out what is new up to `end`; return the first line that may have changed.

        The open row is highlighted alone, and with its chunk when it is complete.
        """
        end = len(text) if end is None else end
        whole = max(self._whole_at, text.rfind("\n", 0, end) + 1)
        changed = self._whole
        if self._long is not None:
            changed += self._go_on(text[self._whole_at : min(end, self._end_of_row(text))])
        elif whole > self._whole_at:
            changed = self._kept
        if whole > self._whole_at:
            self._take(text, whole)
        if self._long is None:
            del self.lines[self._whole :]
            if begun := self._bare(text[self._whole_at : end]):
                self.lines += self._begun(begun)
        return changed

    def _end_of_row(self, text: str) -> int:
        end = text.find("\n", self._whole_at)
        return len(text) if end < 0 else end

    def _take(self, text: str, whole: int) -> None:
        """Lay out the complete rows, chunk by chunk."""
        if self._long is not None:  # keeps its lines: a chunk ends with it
            self._long, self._kept = None, len(self.lines)
            self._at = self._end_of_row(text) + 1
        del self.lines[self._kept :]
        while self._at < whole:
            end, complete = _chunk(text, self._at, whole)
            self.lines += self._set(text[self._at : end])
            if not complete:
                break
            self._kept, self._at = len(self.lines), end
        self._whole, self._whole_at = len(self.lines), whole

    def _set(self, source: str) -> list[Line]:
        source = self._bare(source)
        if len(source) > PLAIN_FROM and "\n" not in source[:-1]:
            row = _LongRow(self._width)
            row.update(source.removesuffix("\n"))
            return row.lines
        return code_lines(highlight(source, self._language), self._width)

    def _begun(self, begun: str) -> list[Line]:
        """Lay out the open row; if it has become long, as a `_LongRow` from now on."""
        if len(begun) <= PLAIN_FROM:
            return code_lines(highlight(begun, self._language), self._width)
        self._long = _LongRow(self._width)
        self._long.update(begun)
        head = code_lines(highlight(begun[:PLAIN_FROM], self._language), self._width)
        self._long.lines[: len(head) - 1] = head[:-1]
        return list(self._long.lines)

    def _go_on(self, begun: str) -> int:
        assert self._long is not None
        first = self._long.update(self._bare(begun))
        self.lines[self._whole + first :] = self._long.lines[first:]
        return first

    def _bare(self, source: str) -> str:
        return self._margin.sub("", source) if self._margin is not None else source


def _chunk(text: str, start: int, whole: int) -> tuple[int, bool]:
    """Return the end of the chunk that begins at `start`, and whether it is complete."""
    at, lines = start, 0
    while at < whole:
        if lines == CHUNK_LINES or at - start >= CHUNK_CHARACTERS:
            return at, True
        end = text.index("\n", at) + 1
        if end - at > PLAIN_FROM:
            return (at if lines else end), True
        at, lines = end, lines + 1
    return at, False


class _LongRow:
    """A long row without highlighting: each of its lines is laid out once."""

    def __init__(self, width: int) -> None:
        self.lines: list[Line] = []
        self._room = room_for_code(width)
        self._taken = 0  # characters
        self._column = 0  # after them, with tabs expanded
        self._done = 0  # lines that cannot change any more
        self._rest = ""  # the text after those lines

    def update(self, row: str) -> int:
        """Lay out the end of `row`; return the first line that may have changed."""
        blank = " " * (self._column % TAB_WIDTH)
        new = expand_tabs(blank + row[self._taken :])[len(blank) :]
        self._taken = len(row)
        self._column += len(new)
        self._rest += new
        pieces = hard_wrap([Span(self._rest, Face("code", paper="code"))], self._room)
        changed = self._done
        del self.lines[changed:]
        for piece in pieces:
            self.lines.append(code_row(piece, first=not self.lines))
        for piece in pieces[:-_LOOSE_ROWS]:
            self._rest = self._rest[sum(len(span.text) for span in piece) :]
            self._done += 1
        return changed


class GrowingCode(NoTables):
    """The layout of an open code fence."""

    def __init__(self, fence: OpenFence, width: int) -> None:
        self.lines: list[Line] = []
        self._fence = fence
        self._width = width
        indent = re.compile(rf"^ {{1,{fence.indent}}}", re.MULTILINE) if fence.indent else None
        self._rows = CodeRows(fence.language, width, fence.body, indent)

    def update(self, text: str) -> int:
        """Lay out what is new; return the first line that may have changed."""
        begun = text.rfind("\n") + 1
        changed = self._rows.update(text, begun if self._closes(text[begun:]) else None)
        if not self.lines:
            self.lines = [tag_line(self._fence.language, self._width), *self._rows.lines]
            return 0
        self.lines[1 + changed :] = self._rows.lines[changed:]
        return 1 + changed

    def _closes(self, begun: str) -> bool:
        """Return whether the open line `begun` may become the end of the fence."""
        marks = begun.strip(" ")
        return bool(marks) and not marks.strip(self._fence.marks[0])


class GrowingIndented(NoTables):
    """The layout of open indented code. Blank lines at its end are not shown: they may end it."""

    def __init__(self, width: int) -> None:
        self.lines: list[Line] = []
        self._width = width
        self._rows = CodeRows("", width, 0, INDENTED)
        self._after = 0  # lines of another block that begins below it

    def update(self, text: str) -> int:
        """Lay out what is new; return the first line that may have changed."""
        begun = text.rfind("\n") + 1
        rest = text[begun:]
        if not rest.strip() or INDENTED.match(rest):
            begun, rest = len(text), ""
        code = len(text[:begun].rstrip())
        end = text.find("\n", code, begun)
        changed = self._rows.update(text, begun if end < 0 else end + 1)
        if not self.lines:
            self.lines, changed = [tag_line("", self._width)], -1
        changed = min(1 + changed, len(self.lines) - self._after)
        self.lines[max(1, changed) :] = self._rows.lines[max(0, changed - 1) :]
        after = [] if UNDECIDED.match(rest) else [BLANK, *markdown_lines(rest, self._width)]
        self.lines += after
        self._after = len(after)
        return changed
