"""Transitions of tool calls that wait for a client: required, answered, cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from palaver.wire.actions import CallAnswer, LostAnswer
from palaver.wire.messages import Part
from palaverd.chatstate.errors import StaleVersion, UnknownCall
from palaverd.chatstate.states import Status
from palaverd.chatstate.table import Transition
from palaverd.store.calls import (
    CANCELLED,
    StoredCall,
    WantedCall,
    answer_call,
    committed,
    stored_calls,
    waiting_calls,
    want,
)
from palaverd.store.history import NewMessage, insert_messages, open_calls
from palaverd.store.locked import LockedChat
from palaverd.store.open_calls import note_asked
from palaverd.store.steering import take_steers

TOO_LATE = "Nobody answered this call in time."


def require_action(chat: LockedChat, calls: Sequence[WantedCall]) -> None:
    """Wait for a client: each call with its own deadline, or none."""
    with chat.transition(Transition.REQUIRE_ACTION):
        want(chat, calls)
        chat.row.status = Status.REQUIRES_ACTION
        note_asked(chat)
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
    asked = [answer.call_id for answer in answers]
    known = stored_calls(chat.connection, chat.row.chat_id, asked)
    for answer in answers:
        if answer.call_id not in known or known[answer.call_id].needs is None:
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
        for call in waiting_calls(chat.connection, chat.row.chat_id)
        if call.deadline is not None and call.deadline <= chat.now
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
    """Continue once no call waits for a client.

    If every open call has its result by now, all are committed, in call order, and what steers
    follows them. Else the worker runs the others first, and commits all together.
    """
    calls = [call.id for call in open_calls(chat.connection, chat.row.chat_id)]
    stored = stored_calls(chat.connection, chat.row.chat_id, calls)
    if any(call.waits for call in stored.values()):
        note_asked(chat)
        return
    results: list[Part] = [
        result for call in calls if call in stored and (result := stored[call].result) is not None
    ]
    if results and len(results) == len(calls):
        insert_messages(chat, [NewMessage(role="tool", parts=results)])
        committed(chat, calls)
        take_steers(chat)
    chat.row.status = Status.RUNNING
    # It changes even without a message: with permission, the calls run now.
    chat.row.history_version = chat.row.snapshot_version
