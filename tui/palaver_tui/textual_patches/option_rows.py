"""The option that a row of an option list shows.

Textual has it in `OptionList._lines`. Without it the rows of a highlighted option could not be
reversed where only the terminal's own background is used.
"""

from __future__ import annotations

from textual.widgets import OptionList


def option_at(options: OptionList, row: int) -> int | None:
    """Return the index of the option that row `row` of the list belongs to, None below the last."""
    return options._lines[row][0] if row < len(options._lines) else None
