"""A message that is edited, in the current state of its chat. Pure."""

from __future__ import annotations

from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.state.chat import ChatView
from palaver_tui.state.reduce import is_elsewhere, user_text


def text_of(message: QueuedMessage | Message) -> str:
    """Return the text of a message as the user wrote it."""
    return message.content if isinstance(message, QueuedMessage) else user_text(message)


def is_same(one: QueuedMessage | Message | None, other: QueuedMessage | Message) -> bool:
    """Return whether two values are the same message, perhaps in different revisions."""
    return one is not None and type(one) is type(other) and one.id == other.id


def queue_place(view: ChatView, queued: QueuedMessage) -> int | None:
    """Return the place of a message in the queue, from 0; None if it is not in the queue."""
    return next((at for at, one in enumerate(view.queue) if one.id == queued.id), None)


def is_gone(view: ChatView, message: QueuedMessage | Message) -> bool:
    """Return whether a message has left the queue, or was dropped from the history.

    False as long as that is not known: the stream or the message's page was not read yet.
    """
    if not view.caught_up:
        return False
    if isinstance(message, QueuedMessage):
        return queue_place(view, message) is None
    if any(one.id == message.id for one in view.messages):
        return False
    nothing_read = not view.messages and view.older
    return not nothing_read and not is_elsewhere(view, message.id)
