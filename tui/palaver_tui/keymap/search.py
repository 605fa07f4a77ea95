"""The actions and keys of the search in the conversation."""

from __future__ import annotations

from palaver_tui.keymap.action import Action

SEARCH: tuple[Action, ...] = (
    Action(
        "search.older",
        "Match above",
        "Go to the match above; with none here, look in older messages.",
        "search",
        ("enter", "up"),
    ),
    Action(
        "search.newer",
        "Match below",
        "Go to the match below.",
        "search",
        ("down",),
    ),
)
