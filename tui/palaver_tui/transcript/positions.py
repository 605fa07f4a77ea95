"""Positions in a chat's text, between two characters, that survive changes of the layout.

A `Point` names its block and, if the block has a source map, the offset in its source: so it stays
at its word in another width, while the text grows, and when its message is committed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Literal, NamedTuple

from palaver_tui.text.document import Laid, MarkdownDocument, PlainDocument
from palaver_tui.text.half_blocks import is_drawing
from palaver_tui.text.source.source_map import Neighbour
from palaver_tui.text.spans import FOREVER, Line
from palaver_tui.transcript.blocks import Block, Spot, line_in
from palaver_tui.transcript.column import Column
from palaver_tui.transcript.drawn_text import Characters, DrawnText
from palaver_tui.transcript.section import Folding, Section

Form = Literal["source", "plain"]
# Where a point is, seen from its character: `inside` is between two shown for the same source.
Side = Literal["before", "behind", "inside"]
OURS = frozenset({"label", "day", "gap", "end"})  # keys of blocks written by this client
Mapped = MarkdownDocument | PlainDocument
BESIDE = 2  # lines from the text of a piece to that of the next: there is a gap at most


class Point(NamedTuple):
    """The position before character `column` of a line of a block.

    `offset` is the source offset of the character beside it (its number in a text without a
    source: see `DrawnText`), `side` where that character has it.
    Decoration such as a bullet, a border or a gap has no source: a point there (`is_drawn`) is
    named by the next character, which is so many lines `below` it, or else by the last one before.
    It never passes a character, so that what is selected is the same text in every layout.
    In a block without a key `spot` is the last line of the named block above, and `below` is
    negative: minus the distance. `line` is the index in the section, if nothing there has a key.
    """

    key: Hashable
    spot: Spot
    column: int
    line: int
    offset: int | None = None
    side: Side = "before"
    is_drawn: bool = False
    below: int = 0


class Place(NamedTuple):
    """The position before character `x` of line `y` in the current layout of a column."""

    y: int
    x: int


def point_at(column: Column, place: Place) -> Point | None:
    """Return the point at a place; None if there is none. The section has to be laid out."""
    section, number, _line = column.line(place.y)
    if section is None:
        return None
    block, line = section.stack.place(number)
    at = max(0, place.x - len(block.margin.text))
    point = Point(section.key, section.stack.spot(number), at, number)
    if block.key is None:
        return _under_a_name(section, point)
    return _beside_a_character(_characters(block.laid, line), point, (line, at))


def _characters(laid: Laid, line: int) -> Characters:
    """Return the characters of a block, by their source if it has a source map.

    Of a block that folds those of its head, if `line` is that, else those below: the head has
    more words in a wider layout.
    """
    if isinstance(laid, Mapped):
        return laid.source_map()
    heads = []
    if isinstance(laid, Folding):
        if line == 0:
            return DrawnText(laid.lines[:1])
        heads = [line for line in range(len(laid.lines)) if laid.fold_at(line) is not None]
    return DrawnText(laid.lines, heads)


def _beside_a_character(found: Characters, point: Point, place: tuple[int, int]) -> Point:
    """Return the point at a place of a mapped block, named by the character beside it."""
    after, before = found.after(place), found.before(place)
    if after is not None and before is not None and after.offset == before.offset:
        first = found.place_at(after.offset) or place
        below = first[0] - place[0]
        return point._replace(offset=after.offset, side="inside", is_drawn=True, below=below)
    beside: list[tuple[Side, Neighbour | None]] = [("before", after), ("behind", before)]
    named = [
        point._replace(
            offset=one.offset,
            side=side,
            is_drawn=one.place != place,
            below=one.place[0] - place[0],
        )
        for side, one in beside
        if one is not None and _edge(found, one.offset, side) == one.place
    ]
    return min(named, key=lambda one: one.is_drawn, default=point)


def _under_a_name(section: Section, point: Point) -> Point:
    """Return a point in a block without a key, named by the block above it that has one."""
    above = None
    for block, first, height in section.stack.heights():
        if first > point.line:
            break
        if block.key is not None and height:
            above = Spot(block.key, FOREVER), first + height - 1
    return point if above is None else point._replace(spot=above[0], below=above[1] - point.line)


def point_on(column: Column, y: int) -> Point | None:
    """Return the point before the first character of line `y` that is no frame."""
    section, number, _line = column.line(y)
    if section is None:
        return None
    block, line = section.stack.place(number)
    at = 0
    if isinstance(block.laid, Mapped):
        found = block.laid.source_map()
        offset = found.offset_at((line, 0))
        place = found.place_at(offset) if offset is not None else None
        at = place[1] if place is not None and place[0] == line else 0
    return point_at(column, Place(y, at + len(block.margin.text)))


def place_of(column: Column, point: Point) -> Place | None:
    """Return the place of a point, and lay out its line; None if its section is gone."""
    index = column.index(point.key)
    if index is None:
        return None
    column.expect(index)
    section = column.sections[index]
    found = section.stack.named(point.spot.block)
    if found is None:
        line = min(point.line, section.height - 1) if section.key == point.key else 0
        margin = len(section.stack.place(line)[0].margin.text)
        return Place(column.start(index) + line, point.column + margin)
    block, first = found
    if isinstance(block.laid, MarkdownDocument) and point.offset is not None:
        low, high = block.laid.lines_of(point.offset)
        # Decoration is between this piece and the one beside it: how far, only both can tell.
        more = BESIDE if point.is_drawn else 0
        column.look(index, first + max(0, low - more), first + high + more)
    while True:
        line, at = _line_and_column(block, point)
        if not column.look(index, first + line, first + line + 1):
            break
    y, x = first + line, at + len(block.margin.text)
    if point.offset is None and point.below:
        y, x = _place_under(section, y, Place(y - point.below, x))
    return Place(column.start(index) + y, x)


def _line_and_column(block: Block, point: Point) -> tuple[int, int]:
    """Return the line and column of a point in its block, as far as that is laid out."""
    line, at = line_in(block.laid, point.spot), point.column
    if point.offset is not None:
        line, at = _in_text(block.laid, point, point.offset) or (line, at)
    return max(0, min(line, len(block.laid.lines) - 1)), at


def _in_text(laid: Laid, point: Point, offset: int) -> tuple[int, int] | None:
    """Return the line and column of a point by its character; None if that is gone."""
    found = _characters(laid, point.spot.line)
    known = _edge(found, offset, point.side)
    if known is None or not point.is_drawn:
        return known
    # As far from its character as it was, but not beyond the characters before and after it.
    line = max(0, min(known[0] - point.below, len(laid.lines) - 1))
    low, high = _bounds(found, known, offset, point.side)
    place = (line, min(point.column, len(laid.lines[line].text)))
    if high is not None:
        place = min(place, high)
    return place if low is None else max(place, low)


def _edge(found: Characters, offset: int, side: Side) -> tuple[int, int] | None:
    """Return the place of a character's near side; None if nothing is shown there or beyond."""
    return found.end_at(offset) if side == "behind" else found.place_at(offset)


def _bounds(
    found: Characters, known: tuple[int, int], offset: int, side: Side
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Return the first and last place on a side of a character that is `known` to be there."""
    if side == "inside":
        line, column = found.end_at(offset) or known
        return (known[0], known[1] + 1), (line, column - 1)
    other = found.before(known) if side == "before" else found.after(known)
    place = other.place if other is not None else None
    return (place, known) if side == "before" else (known, place)


def _place_under(section: Section, last: int, place: Place) -> Place:
    """Return the place below line `last` of a section, or the end of that line.

    It is no further down than the blocks without a key, which follow it.
    """
    lines = section.stack.lines
    y = last
    while y < place.y and y + 1 < len(lines) and section.stack.place(y + 1)[0].key is None:
        y += 1
    end = len(lines[last].text) if last < len(lines) else 0
    return Place(y, place.x if y > last else end)


def lay_out_between(column: Column, one: Point, other: Point) -> None:
    """Lay out all of every section from that of one point to that of the other."""
    ends = sorted(column.index(point.key) or 0 for point in (one, other))
    for index in range(ends[0], min(ends[1] + 1, len(column.sections))):
        column.measure_one(index)


def text_between(column: Column, start: Place, end: Place, form: Form) -> str:
    """Return the text from `start` to `end`, without frames and labels.

    `source`: as written, with its Markdown; `plain`: as shown. The lines between have to be laid
    out.
    """
    if not column.sections:
        return ""
    pieces: list[tuple[str, bool]] = []
    for index in range(column.at(start.y), column.at(end.y) + 1):
        pieces += _pieces(column.sections[index], column.start(index), start, end, form)
    text = ""
    for number, (piece, close) in enumerate(pieces):
        joint = "\n" if close and number and pieces[number - 1][1] else "\n\n"
        text += (joint if text else "") + piece
    return text


def _pieces(
    section: Section, top: int, start: Place, end: Place, form: Form
) -> Iterator[tuple[str, bool]]:
    """Yield the text of each block, and whether it may follow another without a blank line."""
    for block, first, height in section.stack.heights():
        y = top + first
        if y > end.y or y + height <= start.y or not is_text(block):
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
        if is_drawing(laid.lines[number]):
            continue
        text = _without_frame(laid.lines[number])
        right = high[1] if number == high[0] else len(text)
        left = low[1] if number == low[0] else 0
        rows.append(text[left:right].rstrip())
    return "\n".join(rows)


def _without_frame(line: Line) -> str:
    """Return the characters of a line, with blanks for frames."""
    return "".join(
        " " * len(span.text) if span.face.ink == "rule" else span.text for span in line.spans
    )


def is_text(block: Block) -> bool:
    """Return whether a block is copied: it is neither decoration nor a remark of this client."""
    return block.key is not None and block.key not in OURS
