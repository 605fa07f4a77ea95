"""The actions and keys of the composer."""

from __future__ import annotations

from palaver_tui.keymap.action import Action
from palaver_tui.keymap.key_names import ENTER_KEY

COMPOSER: tuple[Action, ...] = (
    Action(
        "composer.send",
        "Send",
        "Send the message; while an answer runs, queue it.",
        "composer",
        (ENTER_KEY,),
        None,
    ),
    Action(
        "composer.interrupt",
        "Send now",
        "Stop the answer and send this instead; what waits in the queue comes after it.",
        "composer",
        ("ctrl+s", "alt+i"),
        None,
        extra=("alt+enter",),
    ),
    Action(
        "composer.steer",
        "Steer",
        "Tell the model while it works: it reads this after the tools that are running, and nothing"
        " is stopped. If it ends before, this is the next message.",
        "composer",
        ("alt+s",),
        None,
    ),
    Action(
        "composer.newline",
        "New line",
        "Begin a new line in the message.",
        "composer",
        ("ctrl+j", "alt+j"),
        None,
        extra=("shift+enter",),
    ),
    Action(
        "composer.page_up",
        "Page up",
        "Scroll the conversation up by a page.",
        "composer",
        ("pageup",),
    ),
    Action(
        "composer.page_down",
        "Page down",
        "Scroll the conversation down by a page.",
        "composer",
        ("pagedown",),
    ),
    Action(
        "composer.complete",
        "Complete",
        "After a slash: write out the command that is picked. Else go to the next part.",
        "composer",
        ("tab",),
    ),
    Action(
        "composer.recall",
        "Take back",
        "In an empty composer: the message that was not sent, the last one that waits, or else"
        " what you wrote before.",
        "composer",
        ("up",),
    ),
    Action(
        "composer.newer",
        "Write on",
        "From an earlier message of yours back to the empty composer.",
        "composer",
        ("down",),
    ),
)
