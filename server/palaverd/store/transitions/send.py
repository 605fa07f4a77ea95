"""Transitions of sending: a new chat, or a message to an idle or busy one."""

from __future__ import annotations

import msgspec

from palaverd.chatstate.states import RUNNABLE_STATUSES, Queue, Status
from palaverd.chatstate.table import Transition
from palaverd.store.history import NewUserMessage, enqueue, enter_history, promote_head
from palaverd.store.locked import LockedChat
from palaverd.store.steering import place_of_next


class Placed(msgspec.Struct, frozen=True):
    """Where a message is: in history, or in the queue."""

    message_id: int | None = None
    queued_id: int | None = None


def create(chat: LockedChat, message: NewUserMessage) -> Placed:
    """Create a chat with its first message; it runs."""
    with chat.transition(Transition.CREATE):
        row = chat.row
        row.status = Status.RUNNING
        row.history_version = row.turn_version = row.snapshot_version
        chat.flush()
        return Placed(message_id=enter_history(chat, message))


def send(chat: LockedChat, message: NewUserMessage, position: int | None = None) -> Placed:
    """Send to an idle chat, which then runs, or into the queue of a busy one."""
    with chat.transition(Transition.SEND):
        if chat.row.status in RUNNABLE_STATUSES:
            return Placed(queued_id=enqueue(chat, message, position))
        return _start(chat, message)


def send_interrupt(
    chat: LockedChat, message: NewUserMessage, position: int | None = None
) -> Placed:
    """Send and interrupt the current turn; the message takes its place in the queue.

    At `position` 0 the message itself is answered next.
    """
    with chat.transition(Transition.SEND_INTERRUPT):
        row = chat.row
        if row.status not in RUNNABLE_STATUSES:
            return _start(chat, message)
        row.queue_held = False
        if row.status == Status.REQUIRES_ACTION:
            row.status = Status.RUNNING
            return _head_of(chat, message, position)
        row.status = Status.INTERRUPTING
        return Placed(queued_id=enqueue(chat, message, position))


def send_steer(chat: LockedChat, message: NewUserMessage) -> Placed:
    """Send to an idle chat, which then runs, or to the model within the current turn.

    It enters history after the results of the current step. If the turn ends before, it is next.
    """
    with chat.transition(Transition.SEND_STEER):
        row = chat.row
        if row.status not in RUNNABLE_STATUSES:
            return _start(chat, message)
        place = place_of_next(chat)
        return Placed(queued_id=enqueue(chat, message, place, steer_turn=row.turn_version))


def _start(chat: LockedChat, message: NewUserMessage) -> Placed:
    row = chat.row
    after_error = row.status == Status.ERROR
    row.status = Status.RUNNING
    if after_error:
        return _head_of(chat, message)
    return Placed(message_id=enter_history(chat, message))


def _head_of(chat: LockedChat, message: NewUserMessage, position: int | None = None) -> Placed:
    """Run the head of the queue, with `message` inserted at `position` or at the end."""
    if chat.row.queue is Queue.EMPTY:
        return Placed(message_id=enter_history(chat, message))
    queued_id = enqueue(chat, message, position)
    promote_head(chat)
    return Placed(queued_id=queued_id)
