"""Tracing of a Markdown block: the source characters that each character shown comes from.

A layout does not keep this, as it would cost a third more. When it is needed, the block is parsed
and laid out again, and each run of characters carries a number through wrapping, tables and panels
(`Face.trace`). That gives the same lines as on screen, with the source of each character.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from palaver_tui.text.code import rows_of
from palaver_tui.text.markdown.metadata import TRACE, Env
from palaver_tui.text.source.inline_origins import InlineTrace, Marks, Run, parse
from palaver_tui.text.spans import Line
from palaver_tui.text.visible import expand_tabs, tab_places

if TYPE_CHECKING:
    from markdown_it.token import Token

# The marks of quotes and lists before a block on its first line.
_CONTAINERS = re.compile(r"(?:[ \t>]|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))*")


class Leaf(NamedTuple):
    """A unit of plain text: a paragraph, a code block, a cell of a table.

    `row` is the number of a table's row, 0 elsewhere. A `frame` is drawn, but has no text.
    """

    plain: str
    kind: Literal["text", "code", "cell", "frame"] = "text"
    row: int = 0


class Shown(NamedTuple):
    """`length` characters of a line from `column` on; in their run they begin at `place`."""

    column: int
    run: int
    place: int
    length: int


class Origins(msgspec.Struct, dict=True):
    """The trace of one block. Places are offsets in its source."""

    source: str
    tokens: list[Token]
    runs: list[Run] = msgspec.field(default_factory=lambda: [Run("", (), (), 0, ())])
    leaves: list[Leaf] = msgspec.field(default_factory=list)
    marks: list[Marks] = msgspec.field(default_factory=list)
    lines: list[list[Shown]] = msgspec.field(default_factory=list)

    def read(self, lines: Sequence[Line]) -> None:
        """Find the runs in `lines`, the layout of `tokens`."""
        done = [0] * len(self.runs)
        for line in lines:
            found: list[Shown] = []
            column = 0
            for text, face in line.spans:
                if face.trace:
                    # Wrapping drops only blanks, so the next occurrence is the right one.
                    index = self.runs[face.trace].text.find(text, done[face.trace])
                    if index >= 0 and text:
                        found.append(Shown(column, face.trace, index, len(text)))
                        done[face.trace] = index + len(text)
                column += len(text)
            self.lines.append(found)

    def place_of(self, offset: int) -> tuple[int, int] | None:
        """Return the line and column of the first character that comes from `offset` or after."""
        ends = self._ends
        for _end, number, shown in ends[bisect_right(ends, offset, key=itemgetter(0)) :][:1]:
            run = self.runs[shown.run]
            stop = shown.place + shown.length
            found = bisect_left(run.starts, offset, shown.place, stop)
            if found > shown.place and run.ends[found - 1] > offset:
                found -= 1  # one of several characters shown for the same source
            return number, shown.column + found - shown.place
        return None

    def end_of(self, offset: int) -> tuple[int, int] | None:
        """Return the line and column behind the last character from `offset` or before it."""
        starts = self._starts
        number = bisect_right(starts, offset, key=itemgetter(0)) - 1
        if number < 0:
            return None
        _start, line, shown = starts[number]
        run = self.runs[shown.run]
        stop = bisect_right(run.starts, offset, shown.place, shown.place + shown.length)
        return line, shown.column + stop - shown.place

    @cached_property
    def _starts(self) -> list[tuple[int, int, Shown]]:
        """The source start of each stretch shown, in order, with its line."""
        return sorted(
            (self.runs[shown.run].starts[shown.place], number, shown)
            for number, line in enumerate(self.lines)
            for shown in line
        )

    @cached_property
    def _ends(self) -> list[tuple[int, int, Shown]]:
        """The source end of each stretch shown, in order, with its line."""
        found = []
        for number, line in enumerate(self.lines):
            for shown in line:
                run, last = self.runs[shown.run], shown.place + shown.length - 1
                # The head of a panel may have an empty source.
                found.append((max(run.ends[last], run.starts[last] + 1), number, shown))
        return sorted(found)


def origins(source: str, env: Env) -> Origins:
    """Parse `source` and number the runs of its tokens; lay these out and `read` the lines next.

    `env` has link definitions, as for `markdown_lines`.
    """
    result = Origins(source, parse(source, env))
    _Walk(result).walk()
    return result


class _Walk:
    """One pass over the block tokens."""

    def __init__(self, result: Origins) -> None:
        self.result = result
        source = result.source
        self.starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self.table_row = 0
        self.cell = 0

    def line(self, number: int) -> tuple[int, str]:
        """Return the offset of source line `number`, and its text."""
        start = self.starts[number]
        end = self.starts[number + 1] - 1 if number + 1 < len(self.starts) else None
        return start, self.result.source[start:end]

    def walk(self) -> None:
        heading = ""
        in_table = False
        for token in self.result.tokens:
            match token.type:
                case "heading_open":
                    heading = token.markup
                case "heading_close":
                    heading = ""
                case "table_open" | "table_close":
                    in_table = token.nesting > 0
                case "tr_open":
                    self.table_row += 1
                    self.cell = 0
                case "fence" | "code_block":
                    self.code(token)
                case "hr":
                    self.rule(token)
                case "inline" if token.map is not None:
                    first, last = token.map
                    if in_table:
                        self.inline(token, self.in_cell(token.content, first))
                    elif heading.startswith("#"):
                        self.inline(token, self.in_heading(token.content, first, heading))
                    else:
                        self.inline(token, self.in_lines(token.content, first, last))

    def inline(self, token: Token, places: Sequence[int]) -> None:
        trace = InlineTrace(token, places, len(self.result.leaves), self.result.runs)
        self.result.marks += trace.marks
        in_cell = self.cell > 0
        self.result.leaves.append(
            Leaf(trace.plain, "cell", self.table_row) if in_cell else Leaf(trace.plain)
        )

    def in_lines(self, content: str, first: int, last: int) -> list[int]:
        """Return the offsets of a paragraph's content: each line is the end of a source line."""
        self.cell = 0
        places: list[int] = []
        for number, text in enumerate(content.split("\n"), first):
            start, line = self.line(min(number, last - 1))
            body = text.strip(" \t")
            at = start + max(0, len(line.rstrip(" \t")) - len(body))
            lead = len(text) - len(text.lstrip(" \t"))
            places += [max(start, at - lead + column) for column in range(len(text))]
            places.append(start + len(line))  # the line feed
        return places[:-1]

    def in_heading(self, content: str, number: int, markup: str) -> list[int]:
        self.cell = 0
        start, line = self.line(number)
        at = line.find(content, line.find(markup) + len(markup))
        return [start + at + column for column in range(len(content))]

    def in_cell(self, content: str, number: int) -> list[int]:
        """Return the offsets of the next cell's content, where `|` may come from an escaped bar."""
        self.cell += 1
        start, line = self.line(number)
        places: list[int] = []
        column = 0
        cells = list(_cells(line))
        if self.cell <= len(cells):
            column = cells[self.cell - 1]
            while column < len(line) and line[column] in " \t":
                column += 1
        for character in content:
            if character == "|" and line[column : column + 1] == "\\":
                column += 1
            places.append(start + column)
            column += 1
        return places

    def rule(self, token: Token) -> None:
        assert token.map is not None
        start, line = self.line(token.map[0])
        # At least as wide as the screen. The source of every character is the whole rule.
        text = "─" * 2000
        token.meta[TRACE] = len(self.result.runs)
        ends = [start + len(line)] * len(text)
        leaf = len(self.result.leaves)
        self.result.runs.append(Run(text, [start] * len(text), ends, leaf, range(len(text))))
        self.result.leaves.append(Leaf("", "frame"))

    def code(self, token: Token) -> None:
        """Add the runs of a code block: one for its tag, and one for each row."""
        assert token.map is not None
        first, last = token.map
        fenced = token.type == "fence"
        rows = rows_of(token.content)
        begin, opening = self.line(first)
        token.meta[TRACE] = len(self.result.runs)
        self._tag(token, begin, begin + len(opening) if fenced else begin)
        leaf = len(self.result.leaves)
        plain = 0
        end = begin + len(opening)
        for number, row in enumerate(rows, first + fenced):
            if number >= last:  # an empty fence has an empty row
                self.result.runs.append(Run("", (), (), leaf, ()))
                continue
            start, line = self.line(number)
            end = start + len(line)
            self._row(row, start, line, leaf, plain)
            plain += len(row) + 1
        self.result.leaves.append(Leaf("\n".join(rows), "code"))
        if fenced and last - first > 1 + token.content.count("\n"):
            closing, line = self.line(last - 1)
            opened = self.starts[first + 1]
            self.result.marks.append(Marks(begin, opened, max(end, opened), closing + len(line)))

    def _tag(self, token: Token, start: int, end: int) -> None:
        words = token.info.split()
        text = f" {words[0]} " if words else " "
        leaf = len(self.result.leaves)
        width = 4 * len(text)  # the tag may show a control as several characters
        self.result.runs.append(Run(text, [start] * width, [end] * width, leaf, range(width)))
        self.result.leaves.append(Leaf("", "frame"))

    def _row(self, row: str, start: int, line: str, leaf: int, plain: int) -> None:
        """Add the run of a row of code, with expanded tabs; it is the end of a source line."""
        shift = len(line) - len(row)
        columns = tab_places(row)
        # If the container's indent ends inside a tab, the rest are blanks not in the source.
        body = line[: len(line) - len(row.lstrip())]
        blanks = len(body.rstrip())
        starts = [start + max(blanks, column + shift) for column in columns]
        places = [plain + column for column in columns]
        ends = [place + 1 for place in starts]
        self.result.runs.append(Run(expand_tabs(row), starts, ends, leaf, places))


def _cells(line: str) -> Iterator[int]:
    """Yield the columns where the cells of a table's row start, after bars and containers."""
    match = _CONTAINERS.match(line)
    column = match.end() if match else 0
    if line[column : column + 1] != "|":
        yield column
    for at in range(column, len(line)):
        if line[at] == "|" and line[at - 1 : at] != "\\":
            yield at + 1
