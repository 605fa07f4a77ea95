"""Source maps: from places in a document's lines to offsets in its source, and back.

For selecting and copying. A place is a (line, column) of the document's lines; the column counts
characters, not cells, and is before its character. Nothing here is updated while text streams in: a
block is traced when it is needed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from palaver_tui.text.source.origins import Leaf, Origins, Shown
from palaver_tui.text.spans import Line
from palaver_tui.text.visible import Original

Place = tuple[int, int]


class Block(NamedTuple):
    """A block that is laid out: its first line, its source and the offset of that in the text."""

    line: int
    start: int
    source: str
    number: int | None = None


class Neighbour(NamedTuple):
    """The character beside a place: its text offset, and the place on its near side."""

    offset: int
    place: Place


class _Character(NamedTuple):
    """Selected characters: all that one span shows, or a part of it."""

    line: int
    shown: Shown


class SourceMap:
    """The source of a document's current lines."""

    def __init__(
        self,
        text: str,
        blocks: Sequence[Block],
        lines: Sequence[Line],
        trace: Callable[[Block], Origins],
        original: Original,
        standing: Callable[[int], tuple[Origins, int] | None] = lambda _start: None,
    ) -> None:
        """Map `lines`, the layout of `blocks`, to their source `text`.

        `standing` returns, by a block's start, the trace made before the block grew, and the number
        of lines for which it is still valid; None if there is none.
        """
        self._text = text
        self._blocks = blocks
        self._lines = lines
        self._trace = trace
        self._original = original
        self._standing = standing

    # --- source ---------------------------------------------------------------------------

    def source_between(self, start: Place, end: Place) -> str:
        """Return the source of what is shown from `start` to `end`.

        If everything is selected, the whole text; for a whole block its source, with markers,
        fences and bars. For a part of a block the source from the first to the last selected
        character, with the marks at the start or end of a source line if the selection reaches it.
        If the selection cuts an element, the missing mark is added: half of `**bold** words` gives
        `**ld** words`, and the first word of `**two words**` with its blank `**two** `. A part
        inside one element has no marks.
        """
        found = self._ends(start, end)
        if found is None:
            return ""
        first, last, begin, stop, whole = found
        if whole:
            return self._written(0, len(self._text))
        before = [
            first.source[marks.opens : marks.opened]
            for marks in sorted(self._trace(first).marks)
            if first.start + marks.opened <= begin < first.start + marks.closes < stop
        ]
        after = [
            last.source[marks.closes : marks.closed]
            for marks in sorted(self._trace(last).marks, key=lambda marks: marks.closes)
            if begin <= last.start + marks.opens
            and last.start + marks.opened < stop <= last.start + marks.closes
        ]
        return _marked("".join(before), self._written(begin, stop), "".join(after))

    def _written(self, start: int, end: int) -> str:
        """Return a part of the text as written, before it was made visible."""
        return self._original.between(self._text, start, end)

    def _ends(self, start: Place, end: Place) -> tuple[Block, Block, int, int, bool] | None:
        """Return the first and last selected block, the range in the text, and if it is all."""
        low, high = self._block_at(start[0]), self._block_at(end[0])
        touched = range(max(0, low), high + 1)
        first = next((at for at in touched if self._selected(at, start, end)), None)
        if first is None:
            return None
        last = next(at for at in reversed(touched) if self._selected(at, start, end))
        opening, closing = self._blocks[first], self._blocks[last]
        begin, from_start = self._begin(opening, start, end)
        stop, to_end = self._stop(closing, start, end, from_start or first < last)
        whole = (
            from_start
            and to_end
            and not any(self._shown(at) for at in range(first))
            and not any(self._shown(at) for at in range(last + 1, len(self._blocks)))
        )
        return opening, closing, begin, stop, whole

    def _begin(self, block: Block, start: Place, end: Place) -> tuple[int, bool]:
        """Return the offset of the selection's start in `block`, and if it is the block's start."""
        trace = self._trace(block)
        selected = self._of(block, start, end)
        begin = min(trace.runs[shown.run].starts[shown.place] for _line, shown in selected)
        if not any(self._of(block, (0, 0), start)):
            return block.start, True
        line = block.source.rfind("\n", 0, begin) + 1
        if not any(line <= place < begin for place in self._places(trace)):
            begin = line
        return block.start + begin, False

    def _stop(self, block: Block, start: Place, end: Place, covered: bool) -> tuple[int, bool]:
        """Return the offset of the selection's end in `block`, and if it is the whole block's end.

        `covered`: the block's start is selected.
        """
        trace = self._trace(block)
        stop = 0
        for _line, shown in self._of(block, start, end):
            stop = max(stop, trace.runs[shown.run].ends[shown.place + shown.length - 1])
        beyond = (len(self._lines), 0)
        if covered and not any(self._of(block, end, beyond)):
            return block.start + len(block.source), True
        line = block.source.find("\n", stop)
        line = len(block.source) if line < 0 else line
        if not any(stop <= place < line for place in self._places(trace)):
            stop = line
        return block.start + stop, False

    def _places(self, trace: Origins) -> Iterator[int]:
        """Yield the source offset of every character shown."""
        for line in trace.lines:
            for shown in line:
                yield from trace.runs[shown.run].starts[shown.place : shown.place + shown.length]

    # --- places ---------------------------------------------------------------------------

    def offset_at(self, place: Place) -> int | None:
        """Return the text offset of the first character shown at `place` or after it."""
        found = self.after(place)
        return found.offset if found is not None else None

    def after(self, place: Place) -> Neighbour | None:
        """Return the first character shown at `place` or after it, and the place before it."""
        beyond = (len(self._lines), 0)
        for at in range(max(0, self._block_at(place[0])), len(self._blocks)):
            block = self._blocks[at]
            for trace, lines in self._traces(block):
                found = next(_of(block, trace, place, beyond), None)
                if found is not None and found.line - block.line < lines:
                    shown = found.shown
                    offset = block.start + trace.runs[shown.run].starts[shown.place]
                    return Neighbour(offset, (found.line, shown.column))
        return None

    def before(self, place: Place) -> Neighbour | None:
        """Return the last character shown before `place`, and the place behind it."""
        for at in range(self._block_at(place[0]), -1, -1):
            block = self._blocks[at]
            for trace, lines in self._traces(block):
                found = _last(block, trace, place) if place[0] - block.line < lines else None
                if found is not None:
                    return found
        return None

    def place_at(self, offset: int) -> Place | None:
        """Return the place of the first character shown that comes from `offset` or after it."""
        first = bisect_right(self._blocks, offset, key=lambda block: block.start) - 1
        for block in self._blocks[max(0, first) :]:
            for trace, lines in self._traces(block):
                found = trace.place_of(offset - block.start)
                if found is not None and found[0] < lines:
                    return block.line + found[0], found[1]
        return None

    def end_at(self, offset: int) -> Place | None:
        """Return the place behind the last character shown that comes from `offset` or before."""
        first = bisect_right(self._blocks, offset, key=lambda block: block.start) - 1
        for at in range(first, -1, -1):
            block = self._blocks[at]
            for trace, lines in self._traces(block):
                found = trace.end_of(offset - block.start)
                grown = len(trace.source) < len(block.source) and at == first
                if found is not None and found[0] < lines:
                    if grown and offset - block.start >= len(trace.source):
                        continue  # what has grown since may have it
                    return block.line + found[0], found[1]
        return None

    def _traces(self, block: Block) -> Iterator[tuple[Origins, int]]:
        """Yield traces of a block, each with its number of valid lines; the last is complete."""
        known = self._standing(block.start)
        if known is not None:
            yield known
        yield self._trace(block), len(self._lines)

    # --- plain text -----------------------------------------------------------------------

    def plain_between(self, start: Place, end: Place) -> str:
        """Return the text shown from `start` to `end` as plain text.

        Without frames; wrapped lines are joined, code is as written, tabs separate the cells of a
        table, bullets and numbers are kept.
        """
        pieces: list[str] = []
        blank = False
        for number, row in self._rows(start, end):
            if row is None:
                blank = blank or not self._lines[number].text.strip(" ▎")
                continue
            if pieces:
                pieces.append("\n\n" if blank else "\n")
            pieces.append(row)
            blank = False
        return "".join(pieces)

    def _rows(self, start: Place, end: Place) -> Iterator[tuple[int, str | None]]:
        """Yield each paragraph, code block and table row once, with its line; else None."""
        for at in range(max(0, self._block_at(start[0])), self._block_at(end[0]) + 1):
            block = self._blocks[at]
            if block.line > start[0]:
                yield block.line - 1, None
            trace = self._trace(block)
            taken = self._spans(block, start, end)
            done: set[int] = set()
            for number in range(max(block.line, start[0]), block.line + len(trace.lines)):
                if number > end[0] or number >= len(self._lines):
                    return
                leaves = {
                    trace.runs[shown.run].leaf for shown in trace.lines[number - block.line]
                } & taken.keys()
                new = [leaf for leaf in sorted(leaves) if leaf not in done]
                if new:
                    yield number, self._row(block, trace, number, new[0], taken, done, start)
                elif not leaves:
                    bullet = self._lead(number, None, start, end)
                    yield number, bullet.rstrip() or None

    def _row(
        self,
        block: Block,
        trace: Origins,
        number: int,
        first: int,
        taken: dict[int, tuple[int, int]],
        done: set[int],
        start: Place,
    ) -> str:
        leaf = trace.leaves[first]
        same = [
            at for at in taken if at == first or (leaf.row and trace.leaves[at].row == leaf.row)
        ]
        done.update(same)
        cells = [self._part(trace.leaves[at], taken[at]) for at in sorted(same)]
        begins = min(
            trace.runs[shown.run].places[shown.place]
            for line in trace.lines
            for shown in line
            if trace.runs[shown.run].leaf == first
        )
        if leaf.kind == "code" or taken[first][0] > begins:
            return "\t".join(cells)
        column = min(shown.column for shown in trace.lines[number - block.line])
        return self._lead(number, column, start, None) + "\t".join(cells)

    def _part(self, leaf: Leaf, taken: tuple[int, int]) -> str:
        text = leaf.plain[taken[0] : taken[1]]
        return text.replace("\n", " ") if leaf.kind == "cell" else text

    def _lead(self, number: int, until: int | None, start: Place, end: Place | None) -> str:
        """Return the bullet, number and indent before column `until`; "" if not selected."""
        lead, column = "", 0
        for text, face in self._lines[number].spans:
            if until is not None and column >= until:
                break
            column += len(text)
            if face.ink != "rule" and face.paper != "code" and self._lines[number].fill != "code":
                lead += text
        if (number, 0) < start or (end is not None and (number, column) > end):
            return ""
        return lead

    def _spans(self, block: Block, start: Place, end: Place) -> dict[int, tuple[int, int]]:
        """Return the selected part of the plain text of each leaf, by the leaf's index."""
        trace = self._trace(block)
        taken: dict[int, tuple[int, int]] = {}
        for _line, shown in self._of(block, start, end):
            run = trace.runs[shown.run]
            if trace.leaves[run.leaf].kind == "frame":
                continue
            low = run.places[shown.place]
            high = run.places[shown.place + shown.length - 1] + 1
            known = taken.get(run.leaf, (low, high))
            taken[run.leaf] = (min(known[0], low), max(known[1], high))
        return taken

    # --- code -----------------------------------------------------------------------------

    def code_at(self, line: int) -> str | None:
        """Return the source of the code block that `line` is in; None if it is in none."""
        at = self._block_at(line)
        if at < 0:
            return None
        block = self._blocks[at]
        trace = self._trace(block)
        if line - block.line >= len(trace.lines):
            return None
        leaves = [trace.runs[shown.run].leaf for shown in trace.lines[line - block.line]]
        if not leaves and self._lines[line].fill == "code":  # a blank line is traced to nothing
            return self.code_at(line - 1)
        for leaf in leaves:
            after = trace.leaves[leaf + 1 : leaf + 2]
            if trace.leaves[leaf].kind == "frame" and after and self._lines[line].fill == "code":
                return self._code(block, leaf + 1)
            if trace.leaves[leaf].kind == "code":
                return self._code(block, leaf)
        return None

    def _code(self, block: Block, leaf: int) -> str:
        """Return the characters of a leaf as written."""
        trace = self._trace(block)
        plain = trace.leaves[leaf].plain
        starts = {
            place: block.start + start
            for run in trace.runs
            if run.leaf == leaf
            for place, start in zip(run.places, run.starts, strict=True)
        }
        pieces, at = [], 0
        while at < len(plain):
            stop, start = at + 1, starts.get(at)
            if start is None:
                pieces.append(plain[at])
            else:
                while starts.get(stop) == start + stop - at:
                    stop += 1
                pieces.append(self._written(start, start + stop - at))
            at = stop
        return "".join(pieces)

    # --- characters -----------------------------------------------------------------------

    def _block_at(self, line: int) -> int:
        """Return the index of the last block that starts at `line` or above, -1 for none."""
        return bisect_right([block.line for block in self._blocks], line) - 1

    def _shown(self, at: int) -> bool:
        return any(self._trace(self._blocks[at]).lines)

    def _selected(self, at: int, start: Place, end: Place) -> bool:
        return any(True for _ in self._of(self._blocks[at], start, end))

    def _of(self, block: Block, start: Place, end: Place) -> Iterator[_Character]:
        """Yield the stretches of `block` that are shown from `start` to `end`."""
        return _of(block, self._trace(block), start, end)


def _marked(before: str, text: str, after: str) -> str:
    """Return a part of an element between its marks.

    Blanks at its ends are left outside, except of code: inside, the marks would mark nothing.
    """
    if not text.strip():
        return text
    lead, trail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    if before and not _is_code(before):
        before, text = lead + before, text.lstrip()
    if after and not _is_code(after):
        after, text = after + trail, text.rstrip()
    return before + text + after


def _is_code(marks: str) -> bool:
    return "`" in marks or "~~~" in marks


def _of(block: Block, trace: Origins, start: Place, end: Place) -> Iterator[_Character]:
    """Yield the stretches of a block that are shown from `start` to `end`."""
    for number in range(max(0, start[0] - block.line), len(trace.lines)):
        line = block.line + number
        if line > end[0]:
            return
        left = start[1] if line == start[0] else 0
        right = end[1] if line == end[0] else None
        for column, run, index, length in trace.lines[number]:
            low = max(column, left)
            high = column + length if right is None else min(column + length, right)
            if low < high:
                yield _Character(line, Shown(low, run, index + low - column, high - low))


def _last(block: Block, trace: Origins, place: Place) -> Neighbour | None:
    """Return the last character of a block that is shown before `place`; None if there is none."""
    for number in range(min(len(trace.lines) - 1, place[0] - block.line), -1, -1):
        line = block.line + number
        for column, run, index, length in reversed(trace.lines[number]):
            end = column + length if line < place[0] else min(column + length, place[1])
            if end > column:
                offset = block.start + trace.runs[run].starts[index + end - column - 1]
                return Neighbour(offset, (line, end))
    return None


class Sourced(ABC):
    """A document whose lines can be traced."""

    @abstractmethod
    def source_map(self) -> SourceMap:
        """Return the source map of the last `layout`; valid until the next one."""

    def source_between(self, start: Place, end: Place) -> str:
        """Return the source of what is shown; see `SourceMap.source_between`."""
        return self.source_map().source_between(start, end)

    def plain_between(self, start: Place, end: Place) -> str:
        """Return what is shown as plain text; see `SourceMap.plain_between`."""
        return self.source_map().plain_between(start, end)
