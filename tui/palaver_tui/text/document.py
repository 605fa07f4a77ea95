"""A Markdown text, laid out as it grows."""

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

# A shorter text, about two screenfuls, is laid out whole: that costs less than estimating it.
EXPECT_FROM = 4_000  # characters
# A longer finished block is laid out off the event loop: it takes ten milliseconds.
KEEP_FROM = 4_000  # characters
# A possible link definition, also in a quote or an item. The label may span lines.
_DEFINITION = re.compile(r"^[ \t>*+\-\d.)]*\[(?:[^\[\]\\]|\\.)+\]:", re.MULTILINE | re.DOTALL)


class Job(NamedTuple):
    """A finished block to be laid out off the event loop."""

    document: MarkdownDocument
    layouts: int  # the document's count of resets when the job was created
    number: int
    piece: SourceBlock
    width: int
    env: Env
    around: Around

    def lines(self) -> list[Line]:
        """Lay out the block; shares no state, so it may run in a thread."""
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

    `layout` lays out the whole text; `expect` estimates it and `look` lays out what is in view.
    """

    def __init__(
        self, text: str = "", *, finished: bool = False, around: Around = TOP, tight: bool = False
    ) -> None:
        """Feed `text`. `around`: the lists and quotes it is in; `tight` as for `Splitter`."""
        self.text_length = 0  # characters fed, before any was made visible
        self._stream = VisibleStream()
        self._chunks: list[str] = []  # the visible text, joined by `source`
        self._splitter = Splitter(tight=tight, level=around.level)
        self._around = around
        self._pieces: list[SourceBlock] = []
        self._set = FinishedBlocks(self._draw)  # the pieces that are in `lines`
        self._traces = TraceCache()
        self._env: Env = {}
        self._width = 0
        self._fresh = True  # nothing is laid out in this width
        self._layouts = 0  # number of resets
        self._shown_open = 0  # characters of the open block as of the last layout
        self._rough: dict[int, Widths] = {}  # of blocks kept as they looked while open, by start
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
        """Finish the text: nothing follows. Resolves links by reference."""
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
        """Lay out as `layout` does, but in a new width only estimate finished blocks.

        `look` lays them out. A long block that has just been finished keeps its lines until those
        of its `job` are `put`.
        """
        lazily = self.text_length >= EXPECT_FROM
        return self._lay_out(width, keeps=lazily, expects=lazily)

    @property
    def is_whole(self) -> bool:
        """Whether every line is laid out."""
        return not self._set.expected

    def job(self) -> Job | None:
        """Return the job of the first block that still looks as it did while it was open."""
        if not self._set.rough:
            return None
        number = min(self._set.rough)
        piece, env = self._set.laid[number], self._env_copy()
        return Job(self, self._layouts, number, piece, self._width, env, self._around)

    def is_due(self, job: Job) -> bool:
        """Return whether the lines of `job` are still wanted."""
        return job.layouts == self._layouts and job.number in self._set.rough

    def put(self, job: Job, lines: list[Line]) -> list[Splice]:
        """Replace a block's lines by those of its job; return what changed."""
        if not self.is_due(job):
            return []
        return self._put(job.number, lines)

    def give_up(self, job: Job) -> None:
        """Keep a block's lines for good: its job failed."""
        if self.is_due(job):
            self._set.rough.discard(job.number)

    def _put(self, number: int, lines: list[Line]) -> list[Splice]:
        start = self._set.laid[number].start
        self._traces.forget(start)
        self._rough.pop(start, None)
        return self._set.put(number, lines)

    def look(self, low: int, high: int, most: int | None = None) -> list[Splice]:
        """Lay out the blocks in lines `low` to `high` that are only estimated.

        As `FinishedBlocks.look`.
        """
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

        `keeps`: a long block that has just been finished keeps its lines. `expects`: in a new
        width finished blocks are estimated, and laid out by `look`.
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
        """Return the open block's lines if `piece` is that block, finished, and long."""
        growing = self._open
        if growing is None or isinstance(growing, GrowingWhole) or len(piece.source) < KEEP_FROM:
            return None
        if self._kind_of_open[1] != piece.start:
            return None
        if self._shown_open <= len(piece.source):
            growing.update(piece.source)
        elif piece.source != self._shown_source(piece.start):
            return None  # its lines show more than `piece`
        self._rough[piece.start] = dict(growing.widths)
        return list(growing.lines)

    def _shown_source(self, start: int) -> str:
        return self.source[start : start + self._shown_open].rstrip("\n")

    def _draw(self, piece: SourceBlock) -> list[Line]:
        env = self._env_copy()
        return markdown_lines(piece.source, self._width, env, piece.number, self._around)

    def name(self, line: int) -> tuple[int, int]:
        """Return the block of a line, by where its source starts, and the line counted from it.

        The name stays valid when the heights of blocks above it change.
        """
        found = self._set.name(line)
        return (self._splitter.start, line - self._open_first) if found is None else found

    def line_of(self, name: tuple[int, int]) -> int:
        """Return the line that `name` stands for now."""
        start, line = name
        number = self._set.at_source(start)
        if number is None or start >= self._splitter.start:
            return self._open_first + line
        return self._set.firsts[number] + line

    def lines_of(self, offset: int) -> tuple[int, int]:
        """Return the first line, and the line after the last, of the block at a source offset."""
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
        """The whole visible text; the offsets of `source_map` are offsets in it."""
        if len(self._chunks) > 1:
            self._chunks = ["".join(self._chunks)]
        return self._chunks[0] if self._chunks else ""

    def source_map(self) -> SourceMap:
        """Return the source map of the last `layout`; valid until the next one."""
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
        """Return a line with the drawing of its block; None if it is in no block."""
        if (number := self._set.number_of(line)) is not None:
            piece = self._set.laid[number]
            return DrawnLine(piece.start, line - self._set.firsts[number], self._drawing(piece))
        if self._open is None:
            return None
        return DrawnLine(self._splitter.start, line - self._open_first, self._open_drawing())

    def tables(self) -> dict[int, Sequence[int]]:
        """Return the column widths of tables not fitted yet, by the table's source line."""
        found = list(self._rough.items())
        if self._open is not None:
            found.append((self._splitter.start, self._open.widths))
        return {
            self.source.count("\n", 0, start) + line: columns
            for start, widths in found
            for line, columns in widths.items()
        }

    def _env_copy(self) -> Env:
        return {name: dict(found) for name, found in self._env.items()}  # parsing changes it

    def _layout_open(self, width: int, changed: int) -> int:
        """Lay out the open block; return the first line that changed."""
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
    """The document in an open item or quote.

    A long block that is finished in it keeps its lines: it is laid out with its container.
    """

    def __init__(self, around: Around, tight: bool) -> None:
        super().__init__(around=around, tight=tight)

    def layout(self, width: int) -> int:
        """Lay out what is new in `width` cells; return the first line that may have changed."""
        return self._lay_out(width, keeps=True)
