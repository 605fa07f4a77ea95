"""Reasoning of the model: one line with its duration, and the text if it is unfolded."""

from __future__ import annotations

from palaver_tui.text.durations import seconds
from palaver_tui.text.open_block.words import GrowingWords
from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.text.visible import VisibleStream, expand_tabs
from palaver_tui.text.wrap import clip, wrap
from palaver_tui.transcript.folds import CLOSED, OPENED, FoldKey, Folds

_FACE = Face("muted", italic=True)
_BAR = Span("│ ", Face("rule"))
_BAR_WIDTH = 2  # cells
EXACT_UP_TO = 100  # words; more are counted in tens


class ReasoningBlock:
    """The block of one piece of reasoning, which may still grow."""

    def __init__(
        self, key: FoldKey, text: str = "", *, duration_ms: int | None = None, growing: bool = False
    ) -> None:
        self.lines: list[Line] = []
        self.key = key
        self.text_length = 0  # characters fed
        self._duration_ms = duration_ms
        self._growing = growing
        self._stream = VisibleStream()
        self._rows: list[str] = []  # complete rows of the text
        self._row = ""  # the open one
        self._words = 0
        self._open = False
        self._width = 0
        self._laid = 0  # complete rows that are in `lines`
        self._solid = 1  # lines of these and of the head
        self._begun = GrowingWords(_FACE, 1)  # the layout of the open row
        self._dirty = True
        self.feed(text)
        if not growing:
            self._take(self._stream.finish())

    def feed(self, text: str) -> None:
        """Append `text`."""
        if text:
            self.text_length += len(text)
            self._take(self._stream.feed(text))

    def _take(self, text: str) -> None:
        self._words += text.count(" ") + text.count("\n")
        *whole, self._row = (self._row + text).split("\n")
        self._rows += whole
        self._dirty = True

    def show(self, folds: Folds) -> None:
        """Fold or unfold as in `folds`."""
        if folds.is_open(self.key) != self._open:
            self._open = not self._open
            self._width = 0

    def fold_at(self, line: int) -> FoldKey | None:
        """Return the fold whose head is on `line`; None if it is no head."""
        return self.key if line == 0 and self._has_text else None

    def folds(self) -> list[FoldKey]:
        """Return the folds in the block."""
        return [self.key]

    def unfolded(self, width: int) -> list[Line]:
        """Return the lines of the unfolded block, without changing it."""
        rows = [*self._rows, self._row]
        first = next((number for number, row in enumerate(rows) if row.strip()), len(rows))
        return [
            self._head(width),
            *(line for row in rows[first:] for line in self._set(row, width)),
        ]

    @property
    def _has_text(self) -> bool:
        return bool(self._row.strip() or any(row.strip() for row in self._rows))

    def layout(self, width: int) -> int:
        """Lay out in `width` cells; return the first line that may have changed."""
        if width == self._width and not self._dirty:
            return len(self.lines)
        if width != self._width:
            self._width, self._laid, self._solid = width, 0, 1
            self._begun = GrowingWords(_FACE, width - _BAR_WIDTH)
            self.lines = []
        self._dirty = False
        head = self.lines[0] if self.lines else None
        self.lines[:1] = [self._head(width)]
        if not self._open:
            del self.lines[1:]
            return 0
        first = self._solid
        for row in self._rows[self._laid :]:
            if row.strip() or self._solid > 1:  # no blank rows at the start
                self._show_row(row)
                self._solid = len(self.lines)
            self._begun = GrowingWords(_FACE, width - _BAR_WIDTH)
        self._laid = len(self._rows)
        if self._row.strip():
            first = min(first + self._show_row(self._row), len(self.lines))
        else:
            del self.lines[self._solid :]
        if not self._growing:
            while len(self.lines) > 1 and self.lines[-1].spans == (_BAR,):
                self.lines.pop()
        return first if head == self.lines[0] else 0

    def _show_row(self, row: str) -> int:
        """Lay out the open row; return the number of its unchanged lines."""
        first = self._begun.update(expand_tabs(row.rstrip()))
        lines = [Line((_BAR, *spans)) for spans in self._begun.rows[first:]]
        self.lines[self._solid + first :] = lines
        return first

    def _set(self, row: str, width: int) -> list[Line]:
        text = Span(expand_tabs(row.rstrip()), _FACE)
        return [Line((_BAR, *spans)) for spans in wrap([text], width - _BAR_WIDTH)]

    @property
    def _words_said(self) -> int:
        """The number of words; many are rounded to tens, so that the head changes less often."""
        words = self._words + 1
        return words if words < EXACT_UP_TO else words // 10 * 10

    def _head(self, width: int) -> Line:
        if self._growing:
            words = f"thinking · {self._words_said} words"
        elif self._duration_ms is not None:
            words = f"thought for {seconds(self._duration_ms)}"
        else:
            words = "thought"
        mark = "∴" if not self._has_text else OPENED if self._open else CLOSED
        return Line((Span(f"{mark} ", Face("muted")), Span(clip(words, width - 2), _FACE)))
