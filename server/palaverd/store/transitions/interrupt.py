"""Transitions of interruptions: requested by a user, finished by the worker."""

from __future__ import annotations

from collections.abc import Mapping

from palaver.wire.messages import ToolResult
from palaverd.chatstate.states import Status
from palaverd.chatstate.table import TABLE, Transition
from palaverd.store.attempts import clear_partial, close_attempt
from palaverd.store.history import NewMessage, answer_open_calls, insert_messages, run_head_or_wait
from palaverd.store.locked import LockedChat

CANCELLED_BY_USER = "The user cancelled this call."


def interrupt(chat: LockedChat, turn_version: int, *, hold_queue: bool) -> str | None:
    """Request an interruption of this turn. Returns why nothing was changed, if so.

    A request for a turn that is over changes nothing: it can never stop a later run.
    """
    row = chat.row
    if row.state not in TABLE[Transition.INTERRUPT]:
        return "Nothing is running in this chat."
    if turn_version != row.turn_version:
        return "The turn that this request wanted to stop is over."
    if row.status == Status.ERROR and row.resume_at is None:
        return "Nothing is running in this chat."
    hold = hold_queue and row.queue_length > 0
    if row.status == Status.INTERRUPTING and (row.queue_held or not hold):
        return "This chat is stopping already."
    with chat.transition(Transition.INTERRUPT):
        if row.status == Status.ERROR:
            row.resume_at = None
            return None
        row.queue_held = row.queue_held or hold
        if row.status == Status.REQUIRES_ACTION:
            answer_open_calls(chat, CANCELLED_BY_USER)
            run_head_or_wait(chat)
        else:
            row.status = Status.INTERRUPTING
    return None


def finish_interruption(
    chat: LockedChat,
    partial: NewMessage | None,
    results: Mapping[str, ToolResult] | None = None,
) -> None:
    """Save the partial answer, and continue with the queue unless it is held.

    `results` are those of tool calls that are not in the journal, by the call's id.
    """
    with chat.transition(Transition.FINISH_INTERRUPTION):
        close_attempt(chat, "interrupted")
        clear_partial(chat)
        if partial is not None:
            insert_messages(chat, [partial])
        answer_open_calls(chat, CANCELLED_BY_USER, results)
        chat.row.history_version = chat.row.snapshot_version
        run_head_or_wait(chat)
