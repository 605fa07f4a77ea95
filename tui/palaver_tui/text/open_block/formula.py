"""Incremental layout of an open displayed formula: each of its rows is wrapped once."""

from __future__ import annotations

from palaver_tui.text.markdown.inline import FORMULA_FACE
from palaver_tui.text.open_block.layout import NoTables
from palaver_tui.text.spans import Line, Span
from palaver_tui.text.wrap import wrap


class GrowingFormula(NoTables):
    """The layout of an open formula."""

    def __init__(self, width: int) -> None:
        self.lines: list[Line] = []
        self._width = width
        self._kept = 0  # lines up to the end of the last complete row
        self._at = 0  # offset of the row after that

    def update(self, text: str) -> int:
        """Lay out what is new; return the first line that may have changed."""
        changed = self._kept
        del self.lines[changed:]
        whole = text.rfind("\n") + 1
        for row in text[self._at : whole].split("\n")[:-1]:
            self._add(row)
        self._kept, self._at = len(self.lines), max(self._at, whole)
        if text[whole:].strip():
            self._add(text[whole:])
        return changed

    def _add(self, row: str) -> None:
        self.lines += [Line(line) for line in wrap([Span(row, FORMULA_FACE)], self._width)]
