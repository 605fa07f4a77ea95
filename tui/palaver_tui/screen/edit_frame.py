"""The texts in the composer's frame while a message is edited. Pure."""

from __future__ import annotations

from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.chat import ChatView
from palaver_tui.state.dropped_messages import Dropped, in_words
from palaver_tui.state.edited_message import is_gone, queue_place

ENTER, NOW = key_of("composer.send"), key_of("composer.interrupt")
ESC = key_of("chat.escape")


def edit_title(
    view: ChatView, editing: QueuedMessage | Message, dropped: Dropped | None, room: int
) -> str:
    """Return which message is edited, and what that drops.

    Only what it drops if there is no room for all: `room` is in cells.
    """
    is_queued = isinstance(editing, QueuedMessage)
    if is_gone(view, editing):
        gone = "has left the queue" if is_queued else "is gone"
        return f"the message that you edit {gone}"
    if isinstance(editing, QueuedMessage):
        place = queue_place(view, editing)
        return f"editing message {(editing.position if place is None else place) + 1} of the queue"
    goes = "" if dropped is None else in_words(dropped)
    if not goes:
        return "editing your message · nothing is dropped"
    whole = f"editing your message · drops {goes}"
    return whole if len(whole) <= room else f"drops {goes}"


def edit_hint(view: ChatView, editing: QueuedMessage | Message) -> str:
    """Return what the keys do with the edit."""
    if is_gone(view, editing):
        return f"{ENTER} keep as a draft · {ESC} leave it"
    leave = f"{ESC} leave it as it was"
    if isinstance(editing, QueuedMessage):
        return f"{ENTER} put back · {NOW} send now · {leave}"
    return f"{ENTER} say it anew · {leave}"
