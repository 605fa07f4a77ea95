"""Places in the text of a chat, between two characters, that hold while all around them changes.

A `Point` names its block and, where the block knows its source, the place in it: so it stays at
its word when the text is laid out in another width, or grows, or its message is committed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Literal, NamedTuple

from palaver_tui.layout.column import Column
from palaver_tui.layout.document import Laid, MarkdownDocument, PlainDocument
from palaver_tui.layout.faces import Line
from palaver_tui.layout.parts import Block, Spot
from palaver_tui.layout.section import Section

Form = Literal["source", "plain"]
Mapped = MarkdownDocument | PlainDocument


class Point(NamedTuple):
    """Before character `column` of a line of a block; `offset` is the place in its source."""

    key: Hashable
    spot: Spot
    column: int
    offset: int | None = None


class Place(NamedTuple):
    """Line `y` of a column as it is laid out now, before character `x`."""

    y: int
    x: int


def point_at(column: Column, place: Place) -> Point | None:
    """Return the point at a place, whose section has to be laid out; None where nothing is."""
    section, number, _line = column.line(place.y)
    if section is None:
        return None
    block, line = section.stack.place(number)
    at = max(0, place.x - len(block.margin.text))
    offset = None
    if isinstance(block.laid, Mapped):
        offset = block.laid.source_map().offset_at((line, at))
    return Point(section.key, Spot(block.key, line), at, offset)


def place_of(column: Column, point: Point) -> Place | None:
    """Return where a point is now; None if what it was in is gone. Lays out its section."""
    index = column.index(point.key)
    if index is None:
        return None
    column.measure_one(index)
    section = column.sections[index]
    found = section.stack.named(point.spot.block)
    if found is None:
        return Place(column.start(index), 0)
    block, first = found
    line, at = point.spot.line, point.column
    if isinstance(block.laid, Mapped) and point.offset is not None:
        line, at = block.laid.source_map().place_at(point.offset) or (line, at)
    line = max(0, min(line, len(block.laid.lines) - 1))
    return Place(column.start(index) + first + line, at + len(block.margin.text))


def text_between(column: Column, start: Place, end: Place, form: Form) -> str:
    """Return what stands from `start` to `end`, without frames and labels.

    `source` is as its author wrote it, Markdown and all; `plain` as it reads.
    """
    if not column.sections:
        return ""
    pieces: list[tuple[str, bool]] = []
    for index in range(column.at(start.y), column.at(end.y) + 1):
        column.measure_one(index)
        pieces += _pieces(column.sections[index], column.start(index), start, end, form)
    text = ""
    for number, (piece, close) in enumerate(pieces):
        joint = "\n" if close and number and pieces[number - 1][1] else "\n\n"
        text += (joint if text else "") + piece
    return text


def _pieces(
    section: Section, top: int, start: Place, end: Place, form: Form
) -> Iterator[tuple[str, bool]]:
    """Yield the text of each block, and whether it stands right under the one before."""
    for block, first, height in section.stack.heights():
        y = top + first
        if y > end.y or y + height <= start.y or not isinstance(block.key, int | str):
            continue
        if block.key in {"label", "day", "gap"}:
            continue
        margin = len(block.margin.text)
        low = (start.y - y, max(0, start.x - margin)) if start.y >= y else (0, 0)
        last = (height - 1, len(block.laid.lines[height - 1].text)) if height else (0, 0)
        high = (end.y - y, max(0, end.x - margin)) if end.y < y + height else last
        if isinstance(block.laid, Mapped):
            if form == "source":
                text = block.laid.source_between(low, high)
            else:
                text = block.laid.plain_between(low, high)
        else:
            text = _lines_between(block.laid, low, high)
        if text.strip():
            yield text, not isinstance(block.laid, Mapped)


def _lines_between(laid: Laid, low: tuple[int, int], high: tuple[int, int]) -> str:
    rows = []
    for number in range(low[0], high[0] + 1):
        text = _without_frame(laid.lines[number])
        right = high[1] if number == high[0] else len(text)
        left = low[1] if number == low[0] else 0
        rows.append(text[left:right].rstrip())
    return "\n".join(rows)


def _without_frame(line: Line) -> str:
    """Return the characters of a line, blanks for what is only drawn."""
    return "".join(
        " " * len(span.text) if span.face.ink == "rule" else span.text for span in line.spans
    )


def is_text(block: Block) -> bool:
    """Say whether a block holds something to read, rather than frame or label."""
    return isinstance(block.key, int)
