"""What a chat does not allow in its current state, with a sentence that says why. Pure.

The daemon's table of transitions decides; this is checked before a request is sent or a text is
lost.
"""

from __future__ import annotations

from typing import Literal

from palaver.wire.chats import BUSY
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.chat import ChatView

Act = Literal["send", "edit", "clear", "archive", "delete"]

ARCHIVED = (
    f"This chat is archived. Bring it back first: {key_of('composer.send')} in the empty composer."
)
# What is possible only while no answer runs.
AT_REST: dict[Act, str] = {
    "clear": "It is being answered. Stop the answer first, then let the model forget.",
    "archive": "It is being answered. Stop the answer first, then archive the chat.",
    "delete": "It is being answered. Stop the answer first, then delete the chat.",
}


def refusal(act: Act, view: ChatView, *, archived: bool) -> str | None:
    """Return why a chat does not allow `act` now; None if it does."""
    if archived and act == "archive":
        return "It is archived already."
    if archived and act != "delete":
        return ARCHIVED
    if act in AT_REST and view.status in BUSY:
        return AT_REST[act]
    if act == "clear" and view.status == "error" and view.queue:
        return "Its last turn failed, and messages wait. Send or remove them first."
    if act in {"archive", "delete"} and view.outgoing:
        key = key_of("composer.recall")
        return f"A message to it is not sent yet. Take it back first: {key} in the empty composer."
    return None
