"""Tables, drawn in at most the width there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from palaver_tui.layout.faces import Face, Line, Span
from palaver_tui.layout.wrap import width_of, wrap

Align = Literal["left", "center", "right"]
Cell = tuple[Span, ...]
MIN_COLUMN = 4  # cells; narrower than this a column is unreadable
_RULE = Face("rule")


@dataclass(frozen=True)
class Table:
    """A head, rows, and how each column is set."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    aligns: tuple[Align, ...]


def _cell_width(cell: Cell) -> int:
    return sum(width_of(span.text) for span in cell)


def _widths(table: Table, room: int) -> list[int]:
    """Give each column what it wants, or shrink the widest ones until all fit."""
    columns = len(table.aligns)
    wanted = [1] * columns
    for row in (table.head, *table.rows):
        for index, cell in enumerate(row[:columns]):
            wanted[index] = max(wanted[index], _cell_width(cell))
    fair = max(MIN_COLUMN, room // max(1, columns))
    while sum(wanted) > room:
        widest = max(range(columns), key=wanted.__getitem__)
        if wanted[widest] <= MIN_COLUMN:
            break
        # Straight to the next sensible width instead of one cell at a time.
        spare = sum(wanted) - room
        wanted[widest] = max(fair if wanted[widest] > fair else MIN_COLUMN, wanted[widest] - spare)
    return wanted


def _set(cell: Sequence[Span], width: int, align: Align) -> list[Span]:
    blank = max(0, width - _cell_width(tuple(cell)))
    left = {"left": 0, "center": blank // 2, "right": blank}[align]
    return [Span(" " * left), *cell, Span(" " * (blank - left))]


def _row(cells: Sequence[Cell], widths: list[int], aligns: Sequence[Align]) -> list[Line]:
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


def _border(widths: list[int], left: str, middle: str, right: str) -> Line:
    return Line((Span(left + middle.join("─" * (width + 2) for width in widths) + right, _RULE),))


def table_lines(table: Table, width: int) -> list[Line]:
    """Draw `table` with its borders in at most `width` cells, if its columns can shrink so far."""
    columns = len(table.aligns)
    widths = _widths(table, width - 3 * columns - 1)
    head = [
        tuple(span._replace(face=span.face._replace(bold=True)) for span in cell)
        for cell in table.head
    ]
    lines = [_border(widths, "╭", "┬", "╮")]
    lines += _row(head, widths, table.aligns)
    lines.append(_border(widths, "├", "┼", "┤"))
    for row in table.rows:
        lines += _row(row, widths, table.aligns)
    lines.append(_border(widths, "╰", "┴", "╯"))
    return lines
