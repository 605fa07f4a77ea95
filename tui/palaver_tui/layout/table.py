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


def cell_width(cell: Cell) -> int:
    """Return how many terminal cells the text of a cell takes on one line."""
    return sum(width_of(span.text) for span in cell)


def _wanted(table: Table) -> list[int]:
    """Return how wide each column would be if nothing were wrapped."""
    columns = len(table.aligns)
    wanted = [1] * columns
    for row in (table.head, *table.rows):
        for index, cell in enumerate(row[:columns]):
            wanted[index] = max(wanted[index], cell_width(cell))
    return wanted


def fit(wanted: Sequence[int], room: int) -> list[int]:
    """Give each column what it wants, or shrink the widest ones until all fit into `room`."""
    wanted, columns = list(wanted), len(wanted)
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
    blank = max(0, width - cell_width(tuple(cell)))
    left = {"left": 0, "center": blank // 2, "right": blank}[align]
    return [Span(" " * left), *cell, Span(" " * (blank - left))]


def row_lines(cells: Sequence[Cell], widths: Sequence[int], aligns: Sequence[Align]) -> list[Line]:
    """Draw one row."""
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


def border(widths: Sequence[int], corners: str) -> Line:
    """Draw a line across: `corners` are its left end, what parts columns, its right end."""
    inner = corners[1].join("─" * (width + 2) for width in widths)
    return Line((Span(corners[0] + inner + corners[2], _RULE),))


def head_lines(table: Table, widths: Sequence[int]) -> list[Line]:
    """Draw the head and the lines around it."""
    head = [
        tuple(span._replace(face=span.face._replace(bold=True)) for span in cell)
        for cell in table.head
    ]
    lines = [border(widths, "╭┬╮")]
    lines += row_lines(head, widths, table.aligns)
    lines.append(border(widths, "├┼┤"))
    return lines


def table_lines(table: Table, width: int, widths: Sequence[int] | None = None) -> list[Line]:
    """Draw `table` with its borders in at most `width` cells, if its columns can shrink so far.

    `widths` are those of the columns, where something else decides.
    """
    if widths is None:
        widths = fit(_wanted(table), width - 3 * len(table.aligns) - 1)
    lines = head_lines(table, widths)
    for row in table.rows:
        lines += row_lines(row, widths, table.aligns)
    lines.append(border(widths, "╰┴╯"))
    return lines
