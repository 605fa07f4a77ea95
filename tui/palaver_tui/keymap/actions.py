"""The table of all actions, for key bindings, palette, footer, help and texts.

A new action is a row in one of the tables that are joined here, and a function in actions/.
"""

from __future__ import annotations

from palaver_tui.keymap.action import Action, Need, Scope
from palaver_tui.keymap.chats import CHATS
from palaver_tui.keymap.composer import COMPOSER
from palaver_tui.keymap.everywhere import EVERYWHERE
from palaver_tui.keymap.history import HISTORY
from palaver_tui.keymap.key_names import key_name
from palaver_tui.keymap.questions import QUESTIONS
from palaver_tui.keymap.queue import QUEUE
from palaver_tui.keymap.search import SEARCH
from palaver_tui.keymap.transcript import TRANSCRIPT

__all__ = ["ACTIONS", "BY_COMMAND", "BY_ID", "Action", "Need", "Scope", "key_name", "key_of"]

# In the order of the palette, of the footer and of each part of the help.
ACTIONS: tuple[Action, ...] = (
    *EVERYWHERE,
    *COMPOSER,
    *QUESTIONS,
    *TRANSCRIPT,
    *SEARCH,
    *CHATS,
    *HISTORY,
    *QUEUE,
)
BY_ID = {action.id: action for action in ACTIONS}
BY_COMMAND = {action.command: action for action in ACTIONS if action.command}


# Actions that also work over a dialog, which they replace with their own.
OVER_DIALOGS = frozenset({"app.help", "app.palette"})


def key_of(action: str, *, most: int = 1) -> str:
    """Return the names of the first `most` keys of an action, by its id, as people write them."""
    return " ".join(key_name(key) for key in BY_ID[action].keys[:most])


# In the frame of a focused part in which letters are keys.
LETTERS = "letters are keys"
# A key of Textual, not in the table: copies a selection, or else asks whether to leave.
COPY_OR_LEAVE = key_name("ctrl+c")
