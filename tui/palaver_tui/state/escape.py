"""What Esc does: close the topmost open part, or stop the answer if nothing is open."""

from __future__ import annotations

from typing import Literal, get_args

from palaver_tui.state.live import LiveState

# What can be open, topmost first.
Open = Literal[
    "dialog",
    "commands",
    "search",
    "selection",
    "filter",
    "archived",
    "question",
    "queue",
    "edit",
    "overlay",
]
LAYERS: tuple[Open, ...] = get_args(Open)
Escape = Literal[
    "close_dialog",
    "close_commands",
    "close_search",
    "clear_selection",
    "clear_filter",
    "close_archived",
    "close_question",
    "close_queue",
    "close_edit",
    "close_overlay",
    "stop",
    "say_stopping",
    "say_offline",
    "focus_composer",
]

CLOSES: dict[Open, Escape] = {
    "dialog": "close_dialog",
    "commands": "close_commands",
    "search": "close_search",
    "selection": "clear_selection",
    "filter": "clear_filter",
    "archived": "close_archived",
    "question": "close_question",
    "queue": "close_queue",
    "edit": "close_edit",
    "overlay": "close_overlay",
}
# With nothing open. `stop` always holds the queue, so that stopping one answer does not start
# the next one. Esc changes neither a draft nor the queue's content.
BY_STATE: dict[LiveState, Escape] = {
    "offline": "say_offline",
    "reconnecting": "say_offline",
    "needs_answer": "stop",
    "retrying": "stop",
    "failed": "focus_composer",
    "interrupting": "say_stopping",
    "compacting": "stop",
    "tools": "stop",
    "streaming": "stop",
    "starting": "stop",
    "pending": "stop",
    "held": "focus_composer",
    "idle": "focus_composer",
}


def escape(open_things: frozenset[Open], state: LiveState) -> Escape:
    """Return what Esc does with these parts open and in this live state."""
    for layer in LAYERS:
        if layer in open_things:
            return CLOSES[layer]
    return BY_STATE[state]
