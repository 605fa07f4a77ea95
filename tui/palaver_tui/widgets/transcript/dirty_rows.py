"""Which rows of a view are to be drawn again.

Drawing a screen costs more than laying out what is new, and while an answer streams most rows stay
as they are: only those that show another line, or a line that changed, go to the compositor.
"""

from __future__ import annotations

from palaver_tui.text.spans import Line
from palaver_tui.transcript.column import Column


class DirtyRows:
    """What each row of the view shows."""

    def __init__(self) -> None:
        self._shown: list[Line] = []

    def stale(self, column: Column, top: int, height: int) -> tuple[int, int] | None:
        """Note what the rows show from line `top` on; return the first and last that changed.

        A row whose line has only another number, or was laid out anew and is the same, is not.
        """
        now = [column.line(top + row)[2] for row in range(height)]
        before = self._shown
        changed = [row for row in range(height) if now[row : row + 1] != before[row : row + 1]]
        self._shown = now
        return (changed[0], changed[-1]) if changed else None
