"""The actions and keys of the list of chats."""

from __future__ import annotations

from palaver_tui.keymap.action import Action
from palaver_tui.keymap.key_names import UNDO

CHATS: tuple[Action, ...] = (
    Action("chats.up", "Previous chat", "Show the chat above.", "chats", ("up", "k")),
    Action("chats.down", "Next chat", "Show the chat below.", "chats", ("down", "j")),
    Action("chats.first", "First chat", "Show the first chat.", "chats", ("home", "g")),
    Action("chats.last", "Last chat", "Show the last chat.", "chats", ("end", "G")),
    Action(
        "chats.open",
        "Open",
        "Go to the composer of the chat that is shown.",
        "chats",
        ("enter", "right"),
    ),
    Action(
        "chats.filter",
        "Filter the chats",
        "Show those whose titles have these words; status:failed and the like work too.",
        "chats",
        ("slash",),
        command="filter",
    ),
    Action(
        "chat.rename",
        "Rename this chat",
        "Give the chat that is shown another title.",
        "chats",
        ("r",),
        need="chat",
        command="rename",
    ),
    Action(
        "chat.archive",
        "Archive this chat",
        f"Put the chat that is shown away, with those under it; {UNDO} brings it back.",
        "chats",
        ("a",),
        need="present",
        command="archive",
    ),
    Action(
        "chat.unarchive",
        "Bring this chat back",
        "Of the archived chats: the one that is shown is among the others again.",
        "chats",
        ("u",),
        need="archived",
        command="unarchive",
    ),
    Action(
        "chats.archived",
        "Archived chats",
        "Show in the list the chats that are archived, or the others again.",
        "chats",
        ("A",),
        command="archived",
    ),
    Action(
        "chat.delete",
        "Delete this chat",
        "For good, after a question.",
        "chats",
        ("d", "delete"),
        need="chat",
        command="delete",
    ),
)
