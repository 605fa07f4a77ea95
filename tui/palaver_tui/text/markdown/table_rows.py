"""Table rows with more cells than the head: the excess stays in the last cell, with its bars.

GitHub and markdown-it drop it. But models write bars in cells without escaping them: the end of
their text would be lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock

_BAR = re.compile(r"(?<!\\)\|")


def keeping_cells(
    table: Callable[[StateBlock, int, int, bool], bool],
) -> Callable[[StateBlock, int, int, bool], bool]:
    """Return markdown-it's rule for tables, changed to keep excess cells."""

    def keeping(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        known = len(state.tokens)
        if not table(state, start, end, silent):
            return False
        cells = []
        for token in state.tokens[known:]:
            if token.type == "inline":
                cells.append(token)
            elif token.type == "tr_close":
                if cells and cells[-1].map is not None:
                    row = cells[-1].map[0]
                    line = state.src[state.bMarks[row] + state.tShift[row] : state.eMarks[row]]
                    cells[-1].content = _last(line.strip(), len(cells)) or cells[-1].content
                cells.clear()
        return True

    return keeping


def _last(line: str, cells: int) -> str:
    """Return the last of a row's `cells` cells with the excess; "" if there is no excess."""
    if line.count("|") < cells:
        return ""
    starts = [match.end() for match in _BAR.finditer(line)]
    if not line.startswith("|"):
        starts.insert(0, 0)
    end = len(line)
    if starts[-1] == end:
        starts.pop()
        end -= 1
    if len(starts) <= cells:
        return ""
    return line[starts[cells - 1] : end].strip().replace("\\|", "|")
