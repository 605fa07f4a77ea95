"""Which rows of a view are to be drawn again.

Drawing a screen costs more than laying out what is new, and while an answer streams most rows stay
as they are: only those that show another line, or a line that changed, go to the compositor.
"""

from __future__ import annotations

from palaver_tui.layout.column import Column
from palaver_tui.layout.section import Section


class Rows:
    """What each row of the view shows."""

    def __init__(self) -> None:
        self._shown: list[tuple[Section | None, int]] = []

    def stale(self, column: Column, top: int, height: int) -> tuple[int, int] | None:
        """Note what the rows show from line `top` on; return the first and last that changed.

        A section forgets the strips of lines that changed, so a line without one is a new line.
        """
        now: list[tuple[Section | None, int]] = []
        changed: list[int] = []
        for row in range(height):
            section, number, _line = column.line(top + row)
            now.append((section, number))
            same = row < len(self._shown) and self._shown[row] == now[row]
            cache = section.cache if section is not None else []
            drawn = section is None or (number < len(cache) and cache[number] is not None)
            if not (same and drawn):
                changed.append(row)
        self._shown = now
        return (changed[0], changed[-1]) if changed else None
