"""Transitions of tool calls that wait for a client: required, answered, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from palaver.wire.actions import CallAnswer, LostAnswer
from palaver.wire.messages import Part, ToolResult
from palaverd.chatstate.errors import StaleVersion, UnknownCall
from palaverd.chatstate.states import Status
from palaverd.chatstate.table import Transition
from palaverd.store.calls import (
    CANCELLED,
    StoredCall,
    WantedCall,
    answer_call,
    stored_calls,
    want,
)
from palaverd.store.history import NewMessage, insert_messages, open_calls
from palaverd.store.locked import LockedChat

TOO_LATE = "Nobody answered this call in time."


def require_action(chat: LockedChat, calls: Sequence[WantedCall]) -> None:
    """Wait for a client: each call with its own deadline, or none."""
    with chat.transition(Transition.REQUIRE_ACTION):
        want(chat, calls)
        chat.row.status = Status.REQUIRES_ACTION
        chat.note_news()


def complete_action(
    chat: LockedChat, turn_version: int, answers: Sequence[CallAnswer], answered_by: str
) -> list[LostAnswer]:
    """Answer open calls; the chat runs after the last answer.

    Returns the answers that came too late, with who was first, whatever the chat's status.

    Raises:
        UnknownCall: this chat has no such call.
        StaleVersion: the turn is over, for answers that are not late.
    """
    known = stored_calls(chat.connection, chat.row.chat_id)
    for answer in answers:
        if answer.call_id not in known:
            raise UnknownCall(
                Transition.COMPLETE_ACTION, chat.row.state, f"there is no call {answer.call_id}"
            )
    fresh, lost = _sort(known, answers, answered_by)
    if not fresh:
        return lost
    if turn_version != chat.row.turn_version:
        raise StaleVersion(
            Transition.COMPLETE_ACTION, chat.row.state, "the turn that asked is over"
        )
    with chat.transition(Transition.COMPLETE_ACTION):
        for answer in fresh:
            answer_call(chat, answer, answered_by)
        _run_when_answered(chat)
    return lost


def _sort(
    known: Mapping[str, StoredCall], answers: Sequence[CallAnswer], answered_by: str
) -> tuple[list[CallAnswer], list[LostAnswer]]:
    """Return the first answer to each call, and those that came later, also within one request."""
    winners = {
        name: call.answered_by for name, call in known.items() if call.answered_by is not None
    }
    fresh, lost = [], []
    for answer in answers:
        winner = winners.get(answer.call_id)
        if winner is None:
            winners[answer.call_id] = answered_by
            fresh.append(answer)
        else:
            lost.append(LostAnswer(call_id=answer.call_id, answered_by=winner))
    return fresh, lost


def cancel_action(chat: LockedChat) -> bool:
    """Cancel calls that are past their deadline; return whether any was."""
    due = [
        call
        for call in stored_calls(chat.connection, chat.row.chat_id).values()
        if call.answered_by is None and call.deadline is not None and call.deadline <= chat.now
    ]
    if not due:
        return False
    with chat.transition(Transition.CANCEL_ACTION):
        for call in due:
            late = CallAnswer(call_id=call.call_id, text=TOO_LATE, is_error=True)
            answer_call(chat, late, CANCELLED)
        _run_when_answered(chat)
    return True


def _run_when_answered(chat: LockedChat) -> None:
    """Continue once no call is unanswered. Results are committed together, in call order."""
    stored = stored_calls(chat.connection, chat.row.chat_id)
    calls = open_calls(chat.connection, chat.row.chat_id)
    wanted = [stored[call.id] for call in calls if call.id in stored]
    if any(call.answered_by is None for call in wanted):
        return
    results: list[Part] = [result for call in wanted if (result := _result(call)) is not None]
    if results:
        insert_messages(chat, [NewMessage(role="tool", parts=results)])
    chat.row.status = Status.RUNNING
    # It changes even without a message: with permission, the calls run now.
    chat.row.history_version = chat.row.snapshot_version


def _result(call: StoredCall) -> ToolResult | None:
    """Return the result that an answer contains; None for a permission to run the call."""
    answer = call.answer
    if answer is None or answer.approved:
        return None
    text = answer.text or "The user did not allow this call."
    refused = answer.approved is False
    return ToolResult(call_id=call.call_id, text=text, is_error=answer.is_error or refused)
