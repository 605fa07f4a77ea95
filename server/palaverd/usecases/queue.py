"""Use cases of the queue: edit, reorder, promote, remove, hold and release."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from palaver.wire.queue import EditQueued, QueueAnswer
from palaverd.chatstate.table import Transition
from palaverd.store.idempotency import Made
from palaverd.store.locked import LockedChat
from palaverd.store.rows import ChatRow, wire_chat
from palaverd.store.sync import load_queue
from palaverd.store.transitions import queue as transitions
from palaverd.usecases.context import Context
from palaverd.usecases.keyed_requests import Asker, on_chat
from palaverd.usecases.messages import user_message, with_files
from palaverd.usecases.models import check_model


async def edit_queued(
    context: Context, chat_id: str, owner: str, queued_id: int, change: EditQueued
) -> QueueAnswer:
    """Replace the content of a queued message; its position is kept.

    Raises:
        InvalidRequest: the message is empty, or its model is not configured.
        ChatNotFound, TransitionError, DatabaseError: nothing was changed.
    """
    check_model(context, change.model)
    message = user_message(change.content, change.model, Asker(owner))

    def work(chat: LockedChat) -> None:
        if change.files is None:
            queue = load_queue(chat.connection, chat_id)
            files = next((queued.files for queued in queue if queued.id == queued_id), [])
            edited = msgspec.structs.replace(message, files=files)
        else:
            edited = with_files(context, chat, message, change.files)
        transitions.edit_queued(chat, queued_id, edited)

    return await _change(context, chat_id, owner, work)


async def promote(
    context: Context, chat_id: str, owner: str, queued_id: int, turn_version: int
) -> QueueAnswer:
    """Make a queued message the next one; interrupt the turn, if it is the one that was seen.

    Raises:
        ChatNotFound, TransitionError, DatabaseError: nothing was changed.
    """
    return await _change(
        context,
        chat_id,
        owner,
        lambda chat: transitions.promote_queued(chat, queued_id, turn_version),
    )


async def reorder(context: Context, chat_id: str, owner: str, ids: list[int]) -> QueueAnswer:
    """Reorder the queue.

    Raises:
        ChatNotFound, TransitionError, DatabaseError: nothing was changed.
    """
    return await _change(
        context, chat_id, owner, lambda chat: transitions.reorder_queued(chat, ids)
    )


async def hold(context: Context, chat_id: str, owner: str) -> QueueAnswer:
    """Hold the queue: none of it runs until it is released.

    Raises:
        ChatNotFound, TransitionError, DatabaseError: nothing was changed.
    """
    return await _change(context, chat_id, owner, transitions.hold_queue)


async def release(context: Context, chat_id: str, owner: str) -> QueueAnswer:
    """Release the queue; an idle chat runs its head at once.

    Raises:
        ChatNotFound, TransitionError, DatabaseError: nothing was changed.
    """
    return await _change(context, chat_id, owner, transitions.release_queue)


async def take_back(context: Context, chat_id: str, asker: Asker, queued_id: int) -> QueueAnswer:
    """Remove a message from the queue; the response contains it, also if repeated.

    Raises:
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """

    def work(chat: LockedChat) -> QueueAnswer:
        removed = transitions.delete_queued(chat, queued_id)
        queue = load_queue(chat.connection, chat_id)
        return QueueAnswer(chat=wire_chat(chat.row), queue=queue, removed=removed)

    return await on_chat(
        context.door, chat_id, asker, Transition.DELETE_QUEUED, queued_id, work, _taken_again
    )


def _taken_again(connection: Connection, row: ChatRow, made: Made) -> QueueAnswer:
    removed = next(iter(made.removed), None)
    queue = load_queue(connection, row.chat_id)
    return QueueAnswer(chat=wire_chat(row), queue=queue, removed=removed, repeated=True)


async def _change(
    context: Context, chat_id: str, owner: str, work: Callable[[LockedChat], None]
) -> QueueAnswer:
    def change(chat: LockedChat) -> QueueAnswer:
        work(chat)
        queue = load_queue(chat.connection, chat_id)
        return QueueAnswer(chat=wire_chat(chat.row), queue=queue)

    return (await context.door.apply(chat_id, change, owner=owner)).result
