"""How sending a message changes a chat's view, before and after the daemon's response. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from palaver.wire.chats import BUSY, Sent
from palaver_tui.state.chat import ChatView, Landing, Outgoing, OutgoingState
from palaver_tui.state.reduce import is_elsewhere, with_messages


def landing(view: ChatView) -> Landing:
    """Return where a message sent now would probably land: in the queue of a busy chat."""
    return "queue" if view.status in BUSY else "history"


def sending(view: ChatView, outgoing: Outgoing) -> ChatView:
    """Return `view` with an outgoing message; it replaces one with the same key."""
    others = tuple(other for other in view.outgoing if other.key != outgoing.key)
    return replace(view, outgoing=(*others, outgoing))


def marked(view: ChatView, key: str, state: OutgoingState, reason: str | None = None) -> ChatView:
    """Return `view` with the outgoing message with this key in another state."""
    outgoing = tuple(
        replace(item, state=state, reason=reason) if item.key == key else item
        for item in view.outgoing
    )
    return replace(view, outgoing=outgoing)


def perhaps_arrived(view: ChatView, key: str) -> ChatView:
    """Return `view` after the response for the outgoing message with this key was lost."""
    outgoing = tuple(
        replace(item, may_have_arrived=True) if item.key == key else item for item in view.outgoing
    )
    return replace(view, outgoing=outgoing)


def without(view: ChatView, key: str) -> ChatView:
    """Return `view` without the outgoing message with this key."""
    return replace(view, outgoing=tuple(item for item in view.outgoing if item.key != key))


def acknowledged(view: ChatView, key: str, sent: Sent) -> ChatView:
    """Return `view` after the daemon's response, with the message where the daemon has put it.

    The stream may be ahead of the response, or behind it. If it is ahead, its state stays.
    """
    view = without(view, key)
    told, knows = view.versions, sent.chat.versions
    if told is not None and told.snapshot >= knows.snapshot:
        return view
    if sent.message is not None:
        # A repeated one may precede the newest messages, with which the stream begins.
        unplaced = sent.repeated and not view.caught_up
        if unplaced or is_elsewhere(view, sent.message.id):
            return view
        return with_messages(view, [sent.message])
    queued = sent.queued
    if queued is not None and all(other.id != queued.id for other in view.queue):
        place = queued.position
        return replace(view, queue=(*view.queue[:place], queued, *view.queue[place:]))
    return view
