"""Tables, laid out in at most a given width.

A table whose columns do not fit even at their minimum width is drawn as a list: the cells of a row
are below each other, each after the head of its column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.text.wrap import width_of, wrap

Align = Literal["left", "center", "right"]
Cell = tuple[Span, ...]
MIN_COLUMN = 4  # cells; a narrower column is unreadable
_RULE = Face("rule")
_HEAD = Face(bold=True)


class Table(msgspec.Struct, frozen=True):
    """A head, rows, and the alignment of each column."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    aligns: tuple[Align, ...]


def cell_width(cell: Cell) -> int:
    """Return the width of a cell's text in terminal cells if its lines are not wrapped."""
    if not any(span.text == "\n" for span in cell):
        return sum(width_of(span.text) for span in cell)
    return max(width_of(row) for row in "".join(span.text for span in cell).split("\n"))


def _wanted(table: Table) -> list[int]:
    """Return the width that each column has if nothing is wrapped."""
    columns = len(table.aligns)
    wanted = [1] * columns
    for row in (table.head, *table.rows):
        for index, cell in enumerate(row[:columns]):
            wanted[index] = max(wanted[index], cell_width(cell))
    return wanted


def fit(wanted: Sequence[int], room: int) -> list[int]:
    """Return the columns' widths: those wanted, or with the widest shrunk until all fit `room`."""
    wanted, columns = list(wanted), len(wanted)
    fair = max(MIN_COLUMN, room // max(1, columns))
    while sum(wanted) > room:
        widest = max(range(columns), key=wanted.__getitem__)
        if wanted[widest] <= MIN_COLUMN:
            break
        # Directly to the next useful width, not one cell at a time.
        spare = sum(wanted) - room
        wanted[widest] = max(fair if wanted[widest] > fair else MIN_COLUMN, wanted[widest] - spare)
    return wanted


def _set(cell: Sequence[Span], width: int, align: Align) -> list[Span]:
    blank = max(0, width - cell_width(tuple(cell)))
    left = {"left": 0, "center": blank // 2, "right": blank}[align]
    return [Span(" " * left), *cell, Span(" " * (blank - left))]


def room_for_columns(width: int, columns: int) -> int:
    """Return the cells of `width` that are left for the contents of so many columns."""
    return width - 3 * columns - 1


class Frame(NamedTuple):
    """The layout of a table: columns of these `widths`, or a list in `width` cells."""

    table: Table
    widths: Sequence[int]
    width: int

    @property
    def is_list(self) -> bool:
        """Whether the columns do not fit, so that it is drawn as a list."""
        return sum(self.widths) > room_for_columns(self.width, len(self.widths))

    def head(self) -> list[Line]:
        """Draw the lines above the rows."""
        if not self.is_list:
            return _head_lines(self.table, self.widths)
        spans: list[Span] = []
        for cell in self.table.head:
            spans += [Span(" · ", _RULE)] if spans and cell else []
            spans += _bold(cell)
        return [*(Line(line) for line in wrap(spans, self.width)), self._line]

    def row(self, cells: Sequence[Cell]) -> list[Line]:
        """Draw a row."""
        if self.is_list:
            return [*self._listed(cells), self._line]
        return _row_lines(cells, self.widths, self.table.aligns)

    def foot(self) -> list[Line]:
        """Draw the lines below the rows."""
        return [] if self.is_list else [_border(self.widths, "╰┴╯")]

    @property
    def _line(self) -> Line:
        return Line((Span("─" * self.width, _RULE),))

    def _listed(self, cells: Sequence[Cell]) -> list[Line]:
        lines: list[Line] = []
        for head, cell in zip(self.table.head, cells, strict=False):
            if cell:
                # Not traced: a head is copied from the top of the table only.
                again = [Span(text, face._replace(trace=0)) for text, face in _bold(head)]
                after = [Span(": ", _HEAD)] if head else []
                lines += [Line(line) for line in wrap([*again, *after, *cell], self.width)]
        return lines


def _bold(cell: Cell) -> Cell:
    return tuple(Span(text, face._replace(bold=True)) for text, face in cell)


def _row_lines(cells: Sequence[Cell], widths: Sequence[int], aligns: Sequence[Align]) -> list[Line]:
    padded = [cells[index] if index < len(cells) else () for index in range(len(widths))]
    wrapped = [wrap(cell, width) for cell, width in zip(padded, widths, strict=True)]
    lines = []
    for index in range(max(len(cell) for cell in wrapped)):
        spans = [Span("│ ", _RULE)]
        for column, cell in enumerate(wrapped):
            spans += _set(cell[index] if index < len(cell) else (), widths[column], aligns[column])
            spans.append(Span(" │ " if column + 1 < len(widths) else " │", _RULE))
        lines.append(Line(tuple(spans)))
    return lines


def _border(widths: Sequence[int], corners: str) -> Line:
    """Draw a border: `corners` are its left end, the joint of two columns, its right end."""
    inner = corners[1].join("─" * (width + 2) for width in widths)
    return Line((Span(corners[0] + inner + corners[2], _RULE),))


def _head_lines(table: Table, widths: Sequence[int]) -> list[Line]:
    head = [_bold(cell) for cell in table.head]
    lines = [_border(widths, "╭┬╮")]
    lines += _row_lines(head, widths, table.aligns)
    lines.append(_border(widths, "├┼┤"))
    return lines


def table_lines(table: Table, width: int, widths: Sequence[int] | None = None) -> list[Line]:
    """Draw `table` in at most `width` cells.

    `widths` are those of the columns, if they are not to be fitted.
    """
    if widths is None:
        widths = fit(_wanted(table), room_for_columns(width, len(table.aligns)))
    frame = Frame(table, widths, width)
    lines = frame.head()
    for row in table.rows:
        lines += frame.row(row)
    return lines + frame.foot()
