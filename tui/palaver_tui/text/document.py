"""One text, laid out as it grows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from palaver_tui.text.finished_blocks import FinishedBlocks, Splice
from palaver_tui.text.markdown.lines import markdown_lines
from palaver_tui.text.markdown.metadata import Env
from palaver_tui.text.markdown.nesting import TOP, Around
from palaver_tui.text.markdown.splitter import SourceBlock, Splitter
from palaver_tui.text.markdown.tokens import references
from palaver_tui.text.open_block.choice import kind_of, layout_of
from palaver_tui.text.open_block.layout import GrowingBlock, GrowingWhole
from palaver_tui.text.plain import PlainDocument as PlainDocument
from palaver_tui.text.source.origins import Origins
from palaver_tui.text.source.source_map import Block, Sourced, SourceMap
from palaver_tui.text.source.trace_cache import BlockDrawing, DrawnLine, TraceCache, Widths
from palaver_tui.text.spans import BLANK, FOREVER, Line
from palaver_tui.text.visible import VisibleStream

# A shorter text is laid out whole: two screenfuls, which costs less than to estimate it.
EXPECT_FROM = 4_000  # characters
# A block that is finished and longer is laid out off the event loop: it takes ten milliseconds.
KEEP_FROM = 4_000  # characters
# Where a link may be defined, in a quote or item, too. The label may go over lines.
_DEFINITION = re.compile(r"^[ \t>*+\-\d.)]*\[(?:[^\[\]\\]|\\.)+\]:", re.MULTILINE | re.DOTALL)


class Job(NamedTuple):
    """A finished block to be laid out elsewhere than on the event loop."""

    document: MarkdownDocument
    layouts: int  # how often the document had begun anew
    number: int
    piece: SourceBlock
    width: int
    env: Env
    around: Around

    def lines(self) -> list[Line]:
        """Lay it out. Touches nothing that anything else does."""
        return markdown_lines(
            self.piece.source, self.width, self.env, self.piece.number, self.around
        )


class Laid(Protocol):
    """Something with lines."""

    def layout(self, width: int) -> int:
        """Lay out what is new in `width` cells; return the first line that may have changed."""

    @property
    def lines(self) -> list[Line]:
        """The lines as of the last `layout`."""


class MarkdownDocument(Sourced):
    """Markdown that grows at its end. Finished blocks are laid out once per width.

    `layout` lays out all there is, `expect` and `look` only what is looked at.
    """

    def __init__(
        self, text: str = "", *, finished: bool = False, around: Around = TOP, tight: bool = False
    ) -> None:
        """Begin with `text`, which is in what is `around`; `tight` as for `Splitter`."""
        self.text_length = 0  # characters fed, before any was made visible
        self._stream = VisibleStream()
        self._chunks: list[str] = []  # the visible text, joined when it is asked for
        self._splitter = Splitter(tight=tight, level=around.level)
        self._around = around
        self._pieces: list[SourceBlock] = []
        self._set = FinishedBlocks(self._draw)  # those that are in `lines`
        self._traces = TraceCache()
        self._env: Env = {}
        self._width = 0
        self._fresh = True  # nothing is laid out in this width
        self._layouts = 0  # counts how often that became so
        self._shown_open = 0  # characters of the open block as of the last layout
        self._rough: dict[int, Widths] = {}  # of what looks as it did while it grew, by its start
        self._open: GrowingBlock | None = None
        self._kind_of_open: tuple[str, int] = ("", 0)
        self._dirty = True
        self.finished = False
        self.feed(text)
        if finished:
            self.finish()

    def feed(self, text: str) -> None:
        """Append `text`."""
        if text:
            self.text_length += len(text)
            self._take(self._stream.feed(text))
            self._dirty = True

    def _take(self, shown: str) -> None:
        self._chunks.append(shown)
        self._pieces += self._splitter.feed(shown)

    def finish(self) -> None:
        """Say that nothing follows. Links by reference are resolved now."""
        if self.finished:
            return
        self.finished = self._dirty = True
        self._take(self._stream.finish())
        self._pieces += self._splitter.finish()
        defining = [piece.source for piece in self._pieces if _DEFINITION.search(piece.source)]
        found = references("\n\n".join(defining)) if defining else {}
        if found:
            self._env = {"references": found}
            self._reset()

    def _reset(self) -> None:
        self._set.clear()
        self._traces.clear()
        self._rough.clear()
        self._open = None
        self._dirty = self._fresh = True
        self._layouts += 1

    @property
    def lines(self) -> list[Line]:
        """The lines as of the last `layout` or `expect`."""
        return self._set.lines

    @property
    def _solid(self) -> int:
        return self._set.solid

    def layout(self, width: int) -> int:
        """Lay out what is new in `width` cells; return the first line that may have changed."""
        changed = self._lay_out(width, keeps=False)
        splices = self.look(0, FOREVER)
        for number in sorted(self._set.rough):
            splices += self._put(number, self._draw(self._set.laid[number]))
        return min([changed, *(splice.at for splice in splices)])

    def expect(self, width: int) -> int:
        """Lay out as `layout` does, but in a new width leave finished blocks to `look`.

        A long block that was open stays as it is, until what its `job` gives is `put`.
        """
        lazily = self.text_length >= EXPECT_FROM
        return self._lay_out(width, keeps=lazily, expects=lazily)

    @property
    def is_whole(self) -> bool:
        """Whether every line is laid out."""
        return not self._set.expected

    def job(self) -> Job | None:
        """Return a block that still looks as it did while it grew, to be laid out."""
        if not self._set.rough:
            return None
        number = min(self._set.rough)
        piece, env = self._set.laid[number], self._env_copy()
        return Job(self, self._layouts, number, piece, self._width, env, self._around)

    def is_due(self, job: Job) -> bool:
        """Say whether what a job gives is still wanted."""
        return job.layouts == self._layouts and job.number in self._set.rough

    def put(self, job: Job, lines: list[Line]) -> list[Splice]:
        """Take the lines that a job gave; return what changed."""
        if not self.is_due(job):
            return []
        return self._put(job.number, lines)

    def give_up(self, job: Job) -> None:
        """Leave a block as it looks: it cannot be laid out."""
        if self.is_due(job):
            self._set.rough.discard(job.number)

    def _put(self, number: int, lines: list[Line]) -> list[Splice]:
        start = self._set.laid[number].start
        self._traces.forget(start)
        self._rough.pop(start, None)
        return self._set.put(number, lines)

    def look(self, low: int, high: int, most: int | None = None) -> list[Splice]:
        """Lay out what is only expected in lines `low` to `high`; see `FinishedBlocks.look`."""
        had_lines = self._solid > 0
        splices = self._set.look(low, high, most)
        if had_lines != (self._solid > 0):  # the gap above the open block comes or goes
            before = len(self.lines)
            self._open = None
            self._layout_open(self._width, self._solid)
            splices.append(Splice(self._solid, before - self._solid, self.lines[self._solid :]))
        return splices

    def _lay_out(self, width: int, *, keeps: bool, expects: bool = False) -> int:
        """Lay out what is new; return the first line that may have changed.

        `keeps`: a long block that was open stays as it is. `expects`: in a new width finished
        blocks are left to `look`.
        """
        if width != self._width:
            self._width = width
            self._reset()
        if not self._dirty:
            return len(self.lines)
        changed, known = self._solid, len(self._set.laid)
        if known < len(self._pieces):
            kept = self._kept(self._pieces[known]) if keeps else None
            self._open = None
            for piece in self._pieces[known:]:
                if expects and self._fresh:
                    self._set.expect(piece, width)
                elif kept is not None and piece is self._pieces[known]:
                    self._set.keep(piece, kept)
                else:
                    self._set.add(piece)
        self._dirty = self._fresh = False
        return self._layout_open(width, changed)

    def _kept(self, piece: SourceBlock) -> list[Line] | None:
        """Return the open block as it looks, if that is finished now and takes long to lay out."""
        growing = self._open
        if growing is None or isinstance(growing, GrowingWhole) or len(piece.source) < KEEP_FROM:
            return None
        if self._kind_of_open[1] != piece.start:
            return None
        if self._shown_open <= len(piece.source):
            growing.update(piece.source)
        elif piece.source != self._shown_source(piece.start):
            return None  # it shows more than what is finished
        self._rough[piece.start] = dict(growing.widths)
        return list(growing.lines)

    def _shown_source(self, start: int) -> str:
        return self.source[start : start + self._shown_open].rstrip("\n")

    def _draw(self, piece: SourceBlock) -> list[Line]:
        env = self._env_copy()
        return markdown_lines(piece.source, self._width, env, piece.number, self._around)

    def name(self, line: int) -> tuple[int, int]:
        """Return the block of a line, by where its source starts, and the line counted from it.

        This names the line also when blocks above it turn out higher or lower.
        """
        found = self._set.name(line)
        return (self._splitter.start, line - self._open_first) if found is None else found

    def line_of(self, name: tuple[int, int]) -> int:
        """Return where the line of a name is now."""
        start, line = name
        number = self._set.at_source(start)
        if number is None or start >= self._splitter.start:
            return self._open_first + line
        return self._set.firsts[number] + line

    def lines_of(self, offset: int) -> tuple[int, int]:
        """Return the first line of the block that has a place in the text, and the one after it."""
        number = self._set.at_source(offset)
        if number is None:
            return 0, 1
        after = self._set.firsts[number + 1 : number + 2]
        return self._set.firsts[number], after[0] if after else self._solid

    @property
    def _open_first(self) -> int:
        """The first line of the open block."""
        return self._solid + (self._splitter.open_gap and self._solid > 0)

    @property
    def source(self) -> str:
        """The whole text, made visible: what `source_map` speaks of."""
        if len(self._chunks) > 1:
            self._chunks = ["".join(self._chunks)]
        return self._chunks[0] if self._chunks else ""

    def source_map(self) -> SourceMap:
        """Return where the lines of the last `layout` come from; good until the next one."""
        blocks = [
            Block(line, piece.start, piece.source, piece.number)
            for line, piece in zip(self._set.firsts, self._set.laid, strict=True)
        ]
        splitter = self._splitter
        if splitter.open.strip() and len(self.lines) > self._solid:
            line = self._open_first
            source = splitter.open.rstrip("\n")
            blocks.append(Block(line, splitter.start, source, splitter.open_number))
        return SourceMap(
            self.source,
            blocks,
            self.lines,
            self._trace,
            self._stream.original,
            self._traces.standing,
        )

    def _trace(self, block: Block) -> Origins:
        if block.start < self._splitter.start:
            piece = SourceBlock(block.start, block.source, number=block.number)
            return self._traces.finished(block.start, lambda: self._drawing(piece))
        return self._traces.open(block.start, self._open_drawing)

    def _drawing(self, piece: SourceBlock) -> BlockDrawing:
        widths = self._rough.get(piece.start, {})
        return BlockDrawing(
            piece.source, self._width, self._env, piece.number, self._around, widths
        )

    def _open_drawing(self) -> BlockDrawing:
        source, number = self._splitter.open.rstrip("\n"), self._splitter.open_number
        widths = self._open.widths if self._open is not None else {}
        return BlockDrawing(source, self._width, self._env, number, self._around, widths)

    def held(self, line: int) -> DrawnLine | None:
        """Return what tells later what stood on a line; None if it is of no block."""
        if (number := self._set.number_of(line)) is not None:
            piece = self._set.laid[number]
            return DrawnLine(piece.start, line - self._set.firsts[number], self._drawing(piece))
        if self._open is None:
            return None
        return DrawnLine(self._splitter.start, line - self._open_first, self._open_drawing())

    def tables(self) -> dict[int, Sequence[int]]:
        """Return the widths of columns that are not set to fit, by the table's line of source."""
        found = list(self._rough.items())
        if self._open is not None:
            found.append((self._splitter.start, self._open.widths))
        return {
            self.source.count("\n", 0, start) + line: columns
            for start, widths in found
            for line, columns in widths.items()
        }

    def _env_copy(self) -> Env:
        return {name: dict(found) for name, found in self._env.items()}  # parsing adds to it

    def _layout_open(self, width: int, changed: int) -> int:
        """Lay out the block that is still growing; return the first line that changed."""
        splitter = self._splitter
        text = splitter.open
        if not text.strip():
            self._open = None
            del self.lines[self._solid :]
            return changed
        kind = self._kind(text)
        base = self._open_first
        known = self._open is not None and self._kind_of_open == (kind, splitter.start)
        if self._open is None or not known:
            self._open = layout_of(kind, splitter, width, self._around, Inside)
            self._kind_of_open = (kind, splitter.start)
            del self.lines[self._solid :]
            if base > self._solid:
                self.lines.append(BLANK)
        first = self._open.update(text)
        self._shown_open = len(text)
        before, now = self.lines[base + first :], self._open.lines[first:]
        self._traces.changed(first if known else 0, before, now)
        self.lines[base + first :] = now
        return base + first if known and changed == self._solid else changed

    def _kind(self, text: str) -> str:
        return kind_of(self._splitter, text)


class Inside(MarkdownDocument):
    """What is in an open item or quote.

    A long block that closes in it stays as it is: it is laid out with all that is around it.
    """

    def __init__(self, around: Around, tight: bool) -> None:
        super().__init__(around=around, tight=tight)

    def layout(self, width: int) -> int:
        """Lay out what is new in `width` cells; return the first line that may have changed."""
        return self._lay_out(width, keeps=True)
