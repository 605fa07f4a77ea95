"""Every action there is: one table that feeds key bindings, palette, footer, help and sentences.

A new action is a row of one of the tables that are joined here, and a function in actions/.
"""

from __future__ import annotations

from palaver_tui.keymap.action import Action, Need, Scope
from palaver_tui.keymap.chats import CHATS
from palaver_tui.keymap.composer import COMPOSER
from palaver_tui.keymap.everywhere import EVERYWHERE
from palaver_tui.keymap.history import HISTORY
from palaver_tui.keymap.key_names import key_name
from palaver_tui.keymap.queue import QUEUE
from palaver_tui.keymap.search import SEARCH
from palaver_tui.keymap.transcript import TRANSCRIPT

__all__ = ["ACTIONS", "BY_COMMAND", "BY_ID", "Action", "Need", "Scope", "key_name", "key_of"]

# In the order of the palette; the footer and each part of the help have it, too.
ACTIONS: tuple[Action, ...] = (
    *EVERYWHERE,
    *COMPOSER,
    *TRANSCRIPT,
    *SEARCH,
    *CHATS,
    *HISTORY,
    *QUEUE,
)
BY_ID = {action.id: action for action in ACTIONS}
BY_COMMAND = {action.command: action for action in ACTIONS if action.command}


# What opens over a dialog as well, and takes its place.
OVER_DIALOGS = frozenset({"app.help", "app.palette"})


def key_of(action: str, *, most: int = 1) -> str:
    """Return the first keys of an action, by its id, as people write them."""
    return " ".join(key_name(key) for key in BY_ID[action].keys[:most])


# What stands on the frame of a part that has the focus and takes letters for its keys.
LETTERS = "letters are keys"
# Not an action of ours: Textual's, which copies a selection, and else asks whether to leave.
COPY_OR_LEAVE = key_name("ctrl+c")
