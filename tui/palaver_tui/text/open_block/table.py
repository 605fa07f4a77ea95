"""Incremental layout of an open table: rows are laid out again only if columns change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from palaver_tui.text.markdown.lines import leading_table, markdown_lines
from palaver_tui.text.markdown.table import (
    MIN_COLUMN,
    Cell,
    Frame,
    Table,
    cell_width,
    fit,
    room_for_columns,
)
from palaver_tui.text.markdown.tokens import block_tokens
from palaver_tui.text.spans import BLANK, Line

# The least width of a column of an open table. Columns grow in steps of half their width, so that
# the table is laid out again a few times, not for every row that is a little wider.
LEAST = 8  # cells


class GrowingTable:
    """The layout of an open table. It never gets narrower; the finished table is fitted."""

    def __init__(self, width: int) -> None:
        self.lines: list[Line] = []
        self._widths: list[int] = []
        self._width = width
        self._head = ""  # the source of its first two lines
        self._table = Table((), (), ())
        self._rows: list[tuple[Cell, ...]] = []
        self._at = 0  # offset of the first line that is not in `_rows`
        self._kept = 0  # lines up to the end of the last complete row
        self._wanted: list[int] = []

    @property
    def widths(self) -> Mapping[int, Sequence[int]]:
        """The widths of the columns; the table is at line 0 of the text."""
        return {0: self._widths}

    def update(self, text: str) -> int:
        """Lay out new rows and the open one; return the first line that may have changed."""
        if not self._head:
            self._begin(text)
        whole = text.rfind("\n") + 1
        new = self._parsed(text[self._at : whole])
        self._at = whole
        begun, rest = self._begun(text[whole:])
        changed = self._kept
        if self._widen([*new, *begun]):
            changed = self._kept = 0
            new, self._rows = self._rows + new, []
        del self.lines[self._kept :]
        frame = Frame(self._table, self._widths, self._width)
        if not self.lines:
            self.lines += frame.head()
        for row in new:
            self.lines += frame.row(row)
        self._rows += new
        self._kept = len(self.lines)
        for row in begun:
            self.lines += frame.row(row)
        self.lines += frame.foot()
        self.lines += rest
        return changed

    def _begin(self, text: str) -> None:
        self._at = text.find("\n", text.find("\n") + 1) + 1
        self._head = text[: self._at]
        self._table = leading_table(self._head) or self._table
        self._wanted = [max(1, cell_width(cell)) for cell in self._table.head]

    def _parsed(self, lines: str) -> list[tuple[Cell, ...]]:
        table = leading_table(self._head + lines) if lines else None
        return list(table.rows) if table is not None else []

    def _begun(self, line: str) -> tuple[list[tuple[Cell, ...]], list[Line]]:
        """Return the open row, or the lines of text after the table."""
        if not line.strip():
            return [], []
        tokens = block_tokens(self._head + line)
        if tokens[-1].type == "table_close":
            return self._parsed(line), []
        return [], [BLANK, *markdown_lines(line, self._width)]

    def _widen(self, rows: list[tuple[Cell, ...]]) -> bool:
        """Widen the columns for `rows`; return whether any width changed."""
        columns = len(self._table.aligns)
        room = room_for_columns(self._width, columns)
        for row in rows:
            for index, cell in enumerate(row[:columns]):
                self._wanted[index] = max(self._wanted[index], cell_width(cell))
        stepped = [min(_step(wanted), max(1, room)) for wanted in self._wanted]
        widths = fit(stepped, room)
        if sum(widths) > room:
            widths = fit(self._wanted, room)
        if sum(widths) > room:
            widths = [MIN_COLUMN] * columns  # drawn as a list
        if widths == self._widths:
            return False
        self._widths = widths
        return True


def _step(wanted: int) -> int:
    width = LEAST
    while width < wanted:
        width += width // 2
    return width
