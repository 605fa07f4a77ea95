"""Incremental layout of the open block at the end of a text.

Each kind of block keeps the lines that cannot change any more and lays out the rest, so that one
more token costs the same however long the block is. The result is that of laying out the whole
block, except for rare Markdown that reaches far back; a finished block is laid out as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from palaver_tui.text.markdown.inline import inline_spans
from palaver_tui.text.markdown.lines import markdown_lines
from palaver_tui.text.markdown.nesting import Around
from palaver_tui.text.markdown.tokens import block_tokens, inline_tokens
from palaver_tui.text.source.inline_origins import InlineTrace, Run, inline_token
from palaver_tui.text.spans import BLANK, Line
from palaver_tui.text.wrap import wrap

# Length of a paragraph's changing end from which on its first lines are kept. About four lines:
# laying them out costs less than the rest of a repaint.
KEEP_FROM = 400  # characters
# Emphasis or a link that is not closed after so many characters is assumed to stay unclosed.
GIVE_UP_AFTER = 1500  # characters
# The start of a line that may, when it is complete, begin another block.
_SPECIAL = re.compile(r" {0,3}(?:[-+*>#`~=|:$\\]|\d{1,9}[.)])")
# Too little of such a line to tell what it is: it is not shown yet.
UNDECIDED = re.compile(r"\s*(?:[-+*=|: ]+|#{1,6}|`+|~+|\d{1,9}[.)]?|>|\$\$?|\\\[?)?\s*\Z")
# Literal characters that a later one may pair with: then they and all between change their look.
_OPENERS = "*_~`["
_OPENING = ("\\(", "\\[")  # opening marks of formulas, which are escapes until they are closed


class GrowingBlock(Protocol):
    """A layout of an open block."""

    @property
    def lines(self) -> list[Line]:
        """The lines as of the last `update`."""

    @property
    def widths(self) -> Mapping[int, Sequence[int]]:
        """The column widths of tables not fitted yet, by the table's line in the text."""

    def update(self, text: str) -> int:
        """Lay out `text`, which has only grown; return the first line that may have changed."""


class NoTables:
    """A layout in which every table is fitted."""

    widths: ClassVar[Mapping[int, Sequence[int]]] = {}


class GrowingWhole(NoTables):
    """The layout of a block that is short, or of a kind that never grows long."""

    def __init__(self, width: int, number: int | None, around: Around) -> None:
        self.lines: list[Line] = []
        self._how = (width, None, number, around)

    def update(self, text: str) -> int:
        """Lay out all of `text`; return the first line, as all may have changed."""
        self.lines = markdown_lines(text, *self._how)
        return 0


class GrowingParagraph(NoTables):
    """The layout of an open paragraph: lines that are kept, and the text after them.

    The kept lines do not depend on that text.
    """

    def __init__(self, width: int) -> None:
        self.lines: list[Line] = []
        self._width = width
        self._kept = 0  # lines
        self._at = 0  # offset of the text after them
        self._try_from = KEEP_FROM  # length of the end from which on `_keep` is tried again

    def update(self, text: str) -> int:
        """Lay out the end; return the first line that may have changed."""
        begun = text.rfind("\n") + 1
        rest = text[begun:]
        if begun <= self._at or not _SPECIAL.match(rest) or self._is_text(rest):
            begun, rest = len(text), ""
        changed = self._kept
        end = text[self._at : begun]
        rows = wrap(inline_spans(inline_tokens(end.strip())), self._width)
        del self.lines[changed:]
        self.lines += [Line(row) for row in rows]
        if not UNDECIDED.match(rest):
            self.lines += [BLANK, *markdown_lines(rest, self._width)]
        if len(end) >= self._try_from:
            self._keep(end, len(rows))
        return changed

    def _is_text(self, rest: str) -> bool:
        """Return whether the line `rest` continues an open paragraph."""
        tokens = block_tokens(f"x\n{rest}")
        return tokens[-1].type == "paragraph_close" and tokens[0].map == [0, 2]

    def _keep(self, end: str, rows: int) -> None:
        """Keep the lines that later text cannot change, but not the last two of `rows`."""
        content = end.strip()
        lead = len(end) - len(end.lstrip())
        token = inline_token(content)
        runs: list[Run] = [Run("", (), (), 0, ())]
        trace = InlineTrace(token, range(lead, lead + len(content)), 0, runs)
        forced = len(end) > GIVE_UP_AFTER
        limit = len(end) if forced else _first_opener(trace, runs, end)
        found = None
        done = [0] * len(runs)
        for number, row in enumerate(wrap(inline_spans(token.children or []), self._width)):
            place = None
            for text, face in row:
                index = runs[face.trace].text.find(text, done[face.trace])
                done[face.trace] = index + len(text)
                if place is None:
                    place = runs[face.trace].starts[index]
            if place is None or place >= limit or not 0 < number < rows - 2:
                continue
            begins = end[place].isalnum() and end[place] == row[0].text[0]
            begins = begins or trace.is_formula(place)
            inside = any(marks.opens < place < marks.closed for marks in trace.marks)
            if begins and (forced or not inside) and not trace.in_formula(place):
                found = (number, place)
        if found is None:
            self._try_from = len(end) + KEEP_FROM // 2
            return
        self._kept += found[0]
        self._at += found[1]
        self._try_from = KEEP_FROM


def _first_opener(trace: InlineTrace, runs: list[Run], text: str) -> int:
    """Return the offset of the first literal character that may still open an element."""
    for run in runs:
        if run.starts and trace.is_formula(run.starts[0]):
            continue
        for character, start, end in zip(run.text, run.starts, run.ends, strict=True):
            written = text[start:end]
            if written == character and character in _OPENERS:
                if character in "[`" or not text[end : end + 1].isspace():
                    return start
            elif _may_begin_formula(written, text, start):
                return start
    return len(text)


def _may_begin_formula(written: str, text: str, start: int) -> bool:
    """Return whether `written`, at `start` of `text`, is a mark that may still be closed."""
    if written == "$":  # the next `$` decides, whether it closes this one or not
        return not text[start + 1 : start + 2].isspace() and text.find("$", start + 1) < 0
    return written in _OPENING or (written == "\\" and text.startswith("\\begin{", start))
