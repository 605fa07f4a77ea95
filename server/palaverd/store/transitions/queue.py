"""Transitions of the queue: edit, reorder, delete, promote, hold and release."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from palaver.wire.messages import QueuedMessage
from palaverd.chatstate.errors import NotInQueue, OrderConflict
from palaverd.chatstate.states import Status
from palaverd.chatstate.table import Transition
from palaverd.store import codec
from palaverd.store.history import (
    NewUserMessage,
    enter_history,
    promote_head,
    queue_ids,
    take_from_queue,
    write_order,
)
from palaverd.store.locked import LockedChat
from palaverd.store.rows import wire_queued
from palaverd.store.tables import queued_messages


def edit_queued(chat: LockedChat, queued_id: int, message: NewUserMessage) -> None:
    """Replace a queued message's content; its position is kept.

    One that gets a model does not steer any more: the turn that it would join has its own.

    Raises:
        NotInQueue: it was promoted or removed meanwhile.
    """
    _position(chat, Transition.EDIT_QUEUED, queued_id)
    with chat.transition(Transition.EDIT_QUEUED):
        changed: dict[str, str | None] = {
            "content": message.content,
            "model": message.model,
            "files": codec.dumps(message.files) if message.files else None,
        }
        if message.model is not None:
            changed["steer_turn"] = None
        chat.connection.execute(
            update(queued_messages).where(queued_messages.c.id == queued_id).values(**changed)
        )
        chat.touch_queue()


def reorder_queued(chat: LockedChat, ids: Sequence[int]) -> None:
    """Reorder the queue.

    Raises:
        OrderConflict: `ids` is not a permutation of the queue.
    """
    with chat.transition(Transition.REORDER_QUEUED):
        if sorted(ids) != sorted(queue_ids(chat.connection, chat.row.chat_id)):
            raise OrderConflict(
                Transition.REORDER_QUEUED,
                chat.row.state,
                "the new order does not name each message of the queue once; the queue changed",
            )
        write_order(chat, ids)


def delete_queued(chat: LockedChat, queued_id: int) -> QueuedMessage:
    """Remove a message from the queue and return it.

    Raises:
        NotInQueue: it was promoted or removed meanwhile.
    """
    position = _position(chat, Transition.DELETE_QUEUED, queued_id)
    with chat.transition(Transition.DELETE_QUEUED):
        found = chat.connection.execute(
            select(queued_messages).where(queued_messages.c.id == queued_id)
        ).mappings()
        removed = wire_queued(found.one(), position)  # type: ignore[arg-type]
        take_from_queue(chat, queued_id)
        return removed


def promote_queued(chat: LockedChat, queued_id: int, turn_version: int) -> None:
    """Make a queued message the next one.

    Idle, failed, or waiting for an answer: it enters history at once. Running: it moves to the head
    and the current answer is interrupted. If the turn is over it only moves to the head.

    Raises:
        NotInQueue: it was promoted or removed meanwhile.
    """
    _position(chat, Transition.PROMOTE_QUEUED, queued_id)
    queue = queue_ids(chat.connection, chat.row.chat_id)
    head_first = [queued_id, *(other for other in queue if other != queued_id)]
    if turn_version != chat.row.turn_version:
        reorder_queued(chat, head_first)
        return
    with chat.transition(Transition.PROMOTE_QUEUED):
        row = chat.row
        if row.status in (Status.RUNNING, Status.INTERRUPTING):
            write_order(chat, head_first)
            row.queue_held = False
            row.status = Status.INTERRUPTING
            return
        row.status = Status.RUNNING
        message = take_from_queue(chat, queued_id)
        assert message is not None
        enter_history(chat, message, queued_id=queued_id)


def hold_queue(chat: LockedChat) -> None:
    """Hold the queue until a user releases it."""
    with chat.transition(Transition.HOLD_QUEUE):
        chat.row.queue_held = True


def release_queue(chat: LockedChat) -> None:
    """Release a held queue; an idle chat runs its head at once."""
    with chat.transition(Transition.RELEASE_QUEUE):
        chat.row.queue_held = False
        if chat.row.status == Status.WAITING:
            chat.row.status = Status.RUNNING
            promote_head(chat)


def _position(chat: LockedChat, transition: Transition, queued_id: int) -> int:
    queue = queue_ids(chat.connection, chat.row.chat_id)
    if queued_id not in queue:
        raise NotInQueue(transition, chat.row.state, "this message is no longer in the queue")
    return queue.index(queued_id)
