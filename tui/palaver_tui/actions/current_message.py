"""Which message is meant: the one that is pointed at, or else one that is in view."""

from __future__ import annotations

from palaver.wire.messages import Message
from palaver_tui.context.context import Context
from palaver_tui.state.dropped_messages import is_read


def message_here(context: Context) -> Message | None:
    """Return the message that is pointed at, or else the first one in view."""
    transcript = context.screen.transcript
    target = transcript.target_cursor.target
    in_view = transcript.viewport.ids()
    if target is not None and isinstance(target.key, int) and transcript.target_cursor.in_view():
        here: int | None = target.key
    else:
        here = in_view[0] if in_view else None
    return next((one for one in context.session.view.messages if one.id == here), None)


def meant_message(context: Context) -> Message | None:
    """Return what is pointed at; else the last message, or when scrolled the first in view."""
    transcript = context.screen.transcript
    pointed = transcript.target_cursor.target is not None and transcript.target_cursor.in_view()
    read = [one for one in context.session.view.messages if is_read(one)]
    return (
        read[-1]
        if read and transcript.viewport.following and not pointed
        else message_here(context)
    )


def own_message(context: Context) -> Message | None:
    """Return the person's message that is meant, or else the one above what is meant."""
    here = meant_message(context)
    own = [one for one in context.session.view.messages if one.role == "user"]
    before = [one for one in own if here is not None and one.id <= here.id]
    return before[-1] if before else None
