"""One text, laid out as it grows."""

from __future__ import annotations

import re
from typing import Protocol

from palaver_tui.layout.code import CHUNK_LINES, code_lines, highlight, tag_line
from palaver_tui.layout.faces import BLANK, Line
from palaver_tui.layout.markdown import Env, markdown_lines, references, token_lines
from palaver_tui.layout.origins import Origins, origins
from palaver_tui.layout.plain import PlainDocument as PlainDocument
from palaver_tui.layout.source_map import Block, Sourced, SourceMap
from palaver_tui.layout.splitter import OpenFence, Piece, Splitter, open_fence
from palaver_tui.layout.visible import VisibleStream

_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:", re.MULTILINE)


class Laid(Protocol):
    """Something with lines."""

    def layout(self, width: int) -> int:
        """Lay out what is new in `width` cells; return the first line that may have changed."""

    @property
    def lines(self) -> list[Line]:
        """The lines as of the last `layout`."""


class MarkdownDocument(Sourced):
    """Markdown that grows at its end. Finished blocks are laid out once per width."""

    def __init__(self, text: str = "", *, finished: bool = False) -> None:
        self.lines: list[Line] = []
        self.text_length = 0  # characters fed, before any was made visible
        self._stream = VisibleStream()
        self._chunks: list[str] = []  # the visible text, joined when it is asked for
        self._splitter = Splitter()
        self._pieces: list[Piece] = []
        self._firsts: list[int] = []  # the first line of each piece that is in `lines`
        self._traces: dict[Block, Origins] = {}
        self._env: Env = {}
        self._width = 0
        self._laid = 0  # pieces that are in `lines`
        self._solid = 0  # lines that belong to them
        self._fence: _FenceLayout | None = None
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
        self.lines.clear()
        self._firsts.clear()
        self._traces.clear()
        self._laid = self._solid = 0
        self._fence = None
        self._dirty = True

    def layout(self, width: int) -> int:
        """Lay out what is new in `width` cells; return the first line that may have changed."""
        if width != self._width:
            self._width = width
            self._reset()
        if not self._dirty:
            return len(self.lines)
        self._dirty = False
        changed = self._solid
        if self._laid < len(self._pieces):
            self._fence = None
            del self.lines[self._solid :]
            for piece in self._pieces[self._laid :]:
                lines = markdown_lines(piece.source, width, self._env_copy(), piece.number)
                self._append(lines, piece.gap)
                self._firsts.append(len(self.lines) - len(lines))
            self._laid = len(self._pieces)
            self._solid = len(self.lines)
        return self._layout_open(width, changed)

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
            for line, piece in zip(self._firsts, self._pieces, strict=False)
        ]
        splitter = self._splitter
        if splitter.open.strip() and len(self.lines) > self._solid:
            line = self._solid + (splitter.open_gap and self._solid > 0)
            source = splitter.open.rstrip("\n")
            blocks.append(Block(line, splitter.start, source, splitter.open_number))
        return SourceMap(self.source, blocks, self.lines, self._trace)

    def _trace(self, block: Block) -> Origins:
        known = self._traces.get(block)
        if known is None:
            if block.line >= self._solid:
                self._traces.clear()  # of the open block only what it is now
            known = origins(block.source, dict(self._env))
            known.read(token_lines(known.tokens, self._width, block.number))
            self._traces[block] = known
        return known

    def _env_copy(self) -> Env:
        return dict(self._env)  # parsing adds to it

    def _append(self, lines: list[Line], gap: bool) -> None:
        if lines and gap and self.lines:
            self.lines.append(BLANK)
        self.lines += lines

    def _layout_open(self, width: int, changed: int) -> int:
        """Lay out the block that is still growing; return the first line that changed."""
        splitter = self._splitter
        fence = open_fence(splitter.open)
        if fence is not None:
            if self._fence is None:
                del self.lines[self._solid :]
                gap = splitter.open_gap and bool(self.lines)
                self._fence = _FenceLayout(fence, width, self.lines, gap)
            return (
                min(changed, self._fence.update(splitter.open))
                if changed < self._solid
                else (self._fence.update(splitter.open))
            )
        self._fence = None
        del self.lines[self._solid :]
        if splitter.open.strip():
            lines = markdown_lines(splitter.open, width, self._env_copy(), splitter.open_number)
            self._append(lines, splitter.open_gap)
        return changed


class _FenceLayout:
    """An open code fence: chunks of its lines that are highlighted once, then its last lines.

    When the fence is closed it is laid out once more, whole, since a string or a comment may
    cross the chunks.
    """

    def __init__(self, fence: OpenFence, width: int, lines: list[Line], gap: bool) -> None:
        self._fence = fence
        self._width = width
        self._lines = lines
        if gap:
            lines.append(BLANK)
        lines.append(tag_line(fence.language, width))
        self._kept = len(lines)  # lines up to the end of the last whole chunk
        self._at = fence.body  # where the first line after that chunk starts in the open text
        self._whole = self._kept  # lines up to the end of the last whole line
        self._whole_at = self._at  # where the line after that one starts
        self._fresh = True

    def update(self, text: str) -> int:
        """Lay out what is new; return the first line that changed.

        The line that is still being written is highlighted alone, its chunk when it is whole.
        """
        whole = text.rfind("\n") + 1
        grown = whole > self._whole_at
        changed = 0 if self._fresh else self._kept if grown else self._whole
        self._fresh = False
        if grown:
            del self._lines[self._kept :]
            while (end := _after_lines(text, self._at, CHUNK_LINES)) is not None:
                self._lines += self._set(text[self._at : end])
                self._kept, self._at = len(self._lines), end
            if self._at < whole:
                self._lines += self._set(text[self._at : whole])
            self._whole, self._whole_at = len(self._lines), whole
        else:
            del self._lines[self._whole :]
        begun = text[self._whole_at :]
        if begun and not self._closes(begun):
            self._lines += self._set(begun)
        return changed

    def _closes(self, begun: str) -> bool:
        """Say whether a line that is still being written may become the end of the fence."""
        marks = begun.strip(" ")
        return bool(marks) and set(marks) == {self._fence.marks[0]}

    def _set(self, source: str) -> list[Line]:
        if self._fence.indent:
            source = re.sub(rf"^ {{1,{self._fence.indent}}}", "", source, flags=re.MULTILINE)
        return code_lines(highlight(source, self._fence.language), self._width)


def _after_lines(text: str, start: int, count: int) -> int | None:
    """Return where the line after `count` complete lines starts, None if there are fewer."""
    for _ in range(count):
        end = text.find("\n", start)
        if end < 0:
            return None
        start = end + 1
    return start
