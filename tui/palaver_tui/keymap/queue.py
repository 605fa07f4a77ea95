"""The actions and keys of the queue."""

from __future__ import annotations

from palaver_tui.keymap.action import Action
from palaver_tui.keymap.key_names import UNDO

QUEUE: tuple[Action, ...] = (
    Action("queue.up", "Message above", "Select.", "queue", ("up", "k")),
    Action("queue.down", "Message below", "Select.", "queue", ("down", "j")),
    Action(
        "queue.send",
        "Send this one now",
        "Stops the answer that runs; this message is answered next.",
        "queue",
        ("enter",),
    ),
    Action(
        "queue.edit",
        "Take back to edit",
        "Opens it in the composer; its place in the queue is kept.",
        "queue",
        ("e",),
    ),
    Action(
        "queue.remove",
        "Remove",
        f"Take it out of the queue; {UNDO} puts it back.",
        "queue",
        ("d", "delete"),
    ),
    Action("queue.raise", "Move up", "Answer it earlier.", "queue", ("shift+up", "K")),
    Action("queue.lower", "Move down", "Answer it later.", "queue", ("shift+down", "J")),
)
