"""What a chat asks of the person in front of the client. Pure."""

from __future__ import annotations

from palaver.wire.messages import ToolResult
from palaver.wire.questions import OpenCall
from palaver_tui.state.chat import ChatView


def question(view: ChatView) -> OpenCall | None:
    """Return the question that is to be answered now; None if none is."""
    if view.status != "requires_action":
        return None
    return next((call for call in view.asked if call.question is not None), None)


def other_calls(view: ChatView) -> tuple[OpenCall, ...]:
    """Return the calls that wait for something else, in call order."""
    if view.status != "requires_action":
        return ()
    asked = question(view)
    return tuple(call for call in view.asked if call is not asked)


def answered_elsewhere(before: ChatView, after: ChatView) -> tuple[str, str] | None:
    """Return the id and the answer of a question that is answered now and was open before.

    None if there is none. One that was cancelled has no answer.
    """
    asked = question(before)
    if asked is None or any(call.call_id == asked.call_id for call in after.asked):
        return None
    for message in reversed(after.messages):
        for part in message.parts:
            if isinstance(part, ToolResult) and part.call_id == asked.call_id:
                return None if part.is_error else (asked.call_id, part.text)
    return None
