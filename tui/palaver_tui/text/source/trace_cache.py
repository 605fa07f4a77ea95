"""Cache of the traces of a document's blocks: which source characters their lines show.

Tracing lays a block out once more, so it is done once per block. An open block's upper lines no
longer change: for them a trace stays valid while the block grows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from palaver_tui.text.markdown.lines import token_lines
from palaver_tui.text.markdown.metadata import LEVEL, WIDTHS, Env
from palaver_tui.text.markdown.nesting import Around
from palaver_tui.text.source.origins import Origins, origins
from palaver_tui.text.spans import FOREVER, Line

# The column widths of tables not fitted yet, by the source line where the table begins.
Widths = Mapping[int, Sequence[int]]


class BlockDrawing(NamedTuple):
    """A block's source and everything that its layout depends on."""

    source: str
    width: int
    env: Env
    number: int | None
    around: Around
    widths: Widths

    def trace(self) -> Origins:
        """Return the block's trace; lays it out once more."""
        env = {name: dict(found) for name, found in self.env.items()}  # parsing changes it
        found = origins(self.source, {**env, LEVEL: self.around.level})
        for token in found.tokens if self.widths else ():
            if token.type == "table_open" and token.map and token.map[0] in self.widths:
                token.meta[WIDTHS] = list(self.widths[token.map[0]])
        found.read(token_lines(found.tokens, self.width, self.number, self.around))
        return found


class DrawnLine(NamedTuple):
    """A line of a block with the block's drawing: enough to trace later what was on the line."""

    start: int  # offset of the block's source in the whole text
    line: int  # counted from the block's first line
    drawing: BlockDrawing

    def first(self) -> int | None:
        """Return the text offset of the first character on the line or below it."""
        trace = self.drawing.trace()
        for line in trace.lines[max(0, self.line) :]:
            for shown in line:
                return self.start + trace.runs[shown.run].starts[shown.place]
        return None

    def last(self) -> int | None:
        """Return the text offset of the last character on the line or above it."""
        trace = self.drawing.trace()
        for line in reversed(trace.lines[: self.line + 1]):
            for shown in reversed(line):
                return self.start + trace.runs[shown.run].starts[shown.place + shown.length - 1]
        return None


class TraceCache:
    """The traces of a document's blocks, by the offset of their source."""

    def __init__(self) -> None:
        self._finished: dict[int, Origins] = {}
        self._open: Origins | None = None
        self._open_start = -1
        self._stands = 0  # lines of the open block that are unchanged since it was traced

    def clear(self) -> None:
        """Discard all traces."""
        self._finished.clear()
        self._open, self._stands = None, 0

    def forget(self, start: int) -> None:
        """Discard the trace of a block that was laid out again."""
        self._finished.pop(start, None)

    def finished(self, start: int, make: Callable[[], BlockDrawing]) -> Origins:
        """Return the trace of a finished block; `make` returns its drawing."""
        known = self._finished.get(start)
        if known is None:
            known = self._finished[start] = make().trace()
        return known

    def open(self, start: int, make: Callable[[], BlockDrawing]) -> Origins:
        """Return the current trace of the open block; `make` returns its drawing."""
        drawing = make()
        if self._open is None or start != self._open_start or drawing.source != self._open.source:
            self._open, self._open_start = drawing.trace(), start
        elif self._stands < FOREVER:
            self._open = drawing.trace()  # the same source, but laid out again
        self._stands = FOREVER
        return self._open

    def standing(self, start: int) -> tuple[Origins, int] | None:
        """Return the last trace of the open block and the number of lines where it is valid."""
        if self._open is None or start != self._open_start:
            return None
        return self._open, self._stands

    def changed(self, first: int, before: Sequence[Line], now: Sequence[Line]) -> None:
        """Record a change of the open block's lines, from `first` on: `before` became `now`."""
        if first >= self._stands:
            return
        pairs = zip(before, now, strict=False)
        same = next((at for at, (old, new) in enumerate(pairs) if old.text != new.text), None)
        same = min(len(before), len(now)) if same is None else same
        self._stands = min(self._stands, first + same)
