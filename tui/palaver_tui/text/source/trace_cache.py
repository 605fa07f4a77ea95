"""What is known of where the lines of a document come from, kept for as long as it is true.

To trace a block is to lay it out once more, so it is done once. Of the block that still grows the
upper lines stand still: what was traced when it was shorter is true of them however long it is now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from palaver_tui.text.markdown.lines import token_lines
from palaver_tui.text.markdown.metadata import LEVEL, WIDTHS, Env
from palaver_tui.text.markdown.nesting import Around
from palaver_tui.text.source.origins import Origins, origins
from palaver_tui.text.spans import FOREVER, Line

# The widths of columns of tables that are not set to fit, by the line of source they begin at.
Widths = Mapping[int, Sequence[int]]


class BlockDrawing(NamedTuple):
    """A block's source and all that decides how it is drawn."""

    source: str
    width: int
    env: Env
    number: int | None
    around: Around
    widths: Widths

    def trace(self) -> Origins:
        """Lay it out once more, traced."""
        env = {name: dict(found) for name, found in self.env.items()}  # parsing adds to it
        found = origins(self.source, {**env, LEVEL: self.around.level})
        for token in found.tokens if self.widths else ():
            if token.type == "table_open" and token.map and token.map[0] in self.widths:
                token.meta[WIDTHS] = list(self.widths[token.map[0]])
        found.read(token_lines(found.tokens, self.width, self.number, self.around))
        return found


class DrawnLine(NamedTuple):
    """A line of a block, with how the block is drawn: enough to say later what stood there."""

    start: int  # where the block's source starts in the whole text
    line: int  # counted from its first one
    drawing: BlockDrawing

    def first(self) -> int | None:
        """Return the place in the text of the first character on the line or below it."""
        trace = self.drawing.trace()
        for line in trace.lines[max(0, self.line) :]:
            for shown in line:
                return self.start + trace.runs[shown.run].starts[shown.place]
        return None

    def last(self) -> int | None:
        """Return the place in the text of the last character on the line or above it."""
        trace = self.drawing.trace()
        for line in reversed(trace.lines[: self.line + 1]):
            for shown in reversed(line):
                return self.start + trace.runs[shown.run].starts[shown.place + shown.length - 1]
        return None


class TraceCache:
    """The traces of a document's blocks, by where their source starts."""

    def __init__(self) -> None:
        self._finished: dict[int, Origins] = {}
        self._open: Origins | None = None
        self._open_start = -1
        self._stands = 0  # lines of the open block that are as they were when it was traced

    def clear(self) -> None:
        """Forget all."""
        self._finished.clear()
        self._open, self._stands = None, 0

    def forget(self, start: int) -> None:
        """Forget one block: it is drawn otherwise now."""
        self._finished.pop(start, None)

    def finished(self, start: int, make: Callable[[], BlockDrawing]) -> Origins:
        """Return the trace of a finished block."""
        known = self._finished.get(start)
        if known is None:
            known = self._finished[start] = make().trace()
        return known

    def open(self, start: int, make: Callable[[], BlockDrawing]) -> Origins:
        """Return the trace of the open block as it is now."""
        drawing = make()
        if self._open is None or start != self._open_start or drawing.source != self._open.source:
            self._open, self._open_start = drawing.trace(), start
        elif self._stands < FOREVER:
            self._open = drawing.trace()  # the same words, but set anew
        self._stands = FOREVER
        return self._open

    def standing(self, start: int) -> tuple[Origins, int] | None:
        """Return the trace of the open block as it was, and of how many lines it is still true."""
        if self._open is None or start != self._open_start:
            return None
        return self._open, self._stands

    def changed(self, first: int, before: Sequence[Line], now: Sequence[Line]) -> None:
        """The lines of the open block from `first` on were `before`, and are `now`."""
        if first >= self._stands:
            return
        pairs = zip(before, now, strict=False)
        same = next((at for at, (old, new) in enumerate(pairs) if old.text != new.text), None)
        same = min(len(before), len(now)) if same is None else same
        self._stands = min(self._stands, first + same)
