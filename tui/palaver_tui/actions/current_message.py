"""The message that an action applies to: the one at the target, or else one in view."""

from __future__ import annotations

from palaver.wire.messages import Message
from palaver_tui.context.context import Context
from palaver_tui.state.dropped_messages import is_read


def message_here(context: Context) -> Message | None:
    """Return the message at the target, or else the first one in view; None if there is none."""
    transcript = context.screen.transcript
    target = transcript.target_cursor.target
    in_view = transcript.viewport.ids()
    if target is not None and isinstance(target.key, int) and transcript.target_cursor.in_view():
        here: int | None = target.key
    else:
        here = in_view[0] if in_view else None
    return next((one for one in context.session.view.messages if one.id == here), None)


def meant_message(context: Context) -> Message | None:
    """Return the message at the target; else the last one, or if scrolled up the first in view."""
    transcript = context.screen.transcript
    pointed = transcript.target_cursor.in_view()
    read = [one for one in context.session.view.messages if is_read(one)]
    return (
        read[-1]
        if read and transcript.viewport.following and not pointed
        else message_here(context)
    )


def own_message(context: Context) -> Message | None:
    """Return the user's message that is meant, or else the last one above; None without one."""
    here = meant_message(context)
    own = [one for one in context.session.view.messages if one.role == "user"]
    before = [one for one in own if here is not None and one.id <= here.id]
    return before[-1] if before else None
