"""Dirty rows: the rows of a view that have to be drawn again.

Drawing a screen costs more than laying out new text, and while an answer streams most rows stay the
same: only rows whose line is another one go to the compositor.
"""

from __future__ import annotations

from palaver_tui.text.spans import Line
from palaver_tui.transcript.column import Column


class DirtyRows:
    """The line that each row of the view shows."""

    def __init__(self) -> None:
        self._shown: list[Line] = []

    def stale(self, column: Column, top: int, height: int) -> tuple[int, int] | None:
        """Store the lines in view, from `top` on; return the first and the last row that changed.

        A row is unchanged if its line is equal, even if that has another number or was laid out
        again. None if no row changed.
        """
        now = [column.line(top + row)[2] for row in range(height)]
        before = self._shown
        changed = [row for row in range(height) if now[row : row + 1] != before[row : row + 1]]
        self._shown = now
        return (changed[0], changed[-1]) if changed else None
