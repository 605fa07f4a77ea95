"""Requests about the present turn: take a message back, try again, skip a wait, answer calls."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from palaver.wire.actions import Answered, Answers
from palaver.wire.queue import Acted, QueueAnswer
from palaverd.chatstate.table import Transition
from palaverd.store.calls import stored_calls
from palaverd.store.door import Door
from palaverd.store.locked import LockedChat
from palaverd.store.rows import ChatRow, wire_chat
from palaverd.store.sync import load_queue
from palaverd.store.transitions.answering import complete_action
from palaverd.store.transitions.queue import delete_queued
from palaverd.store.transitions.recovering import resume
from palaverd.usecases.keyed_requests import Asker, on_chat


async def take_back(door: Door, chat_id: str, asker: Asker, queued_id: int) -> QueueAnswer:
    """Take a message out of the queue; the answer carries it, a repeated one too.

    Raises:
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """

    def work(chat: LockedChat) -> QueueAnswer:
        removed = delete_queued(chat, queued_id)
        queue = load_queue(chat.connection, chat_id)
        return QueueAnswer(chat=wire_chat(chat.row), queue=queue, removed=removed)

    return await on_chat(
        door, chat_id, asker, Transition.DELETE_QUEUED, queued_id, QueueAnswer, work, _queue_now
    )


def _queue_now(connection: Connection, row: ChatRow, first: QueueAnswer) -> QueueAnswer:
    queue = load_queue(connection, row.chat_id)
    return msgspec.structs.replace(first, chat=wire_chat(row), queue=queue, repeated=True)


async def try_again(
    door: Door, chat_id: str, asker: Asker, turn_version: int, at: int | None
) -> Acted:
    """Try a failed turn again, now or at a time (milliseconds since the epoch).

    Raises:
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """

    def work(chat: LockedChat) -> Acted:
        reason = resume(chat, turn_version, at)
        return Acted(chat=wire_chat(chat.row), changed=chat.changed, reason=reason)

    content = [turn_version, at]
    return await on_chat(door, chat_id, asker, Transition.RESUME, content, Acted, work)


async def answer_calls(door: Door, chat_id: str, asker: Asker, answers: Answers) -> Answered:
    """Answer calls that wait for a client. Answers that came too late are named.

    Raises:
        ChatNotFound, KeyReused, TransitionError, DatabaseError: nothing was changed.
    """

    def work(chat: LockedChat) -> Answered:
        lost = complete_action(chat, answers.turn_version, answers.answers, asker.owner)
        still_open = [
            call.call_id
            for call in stored_calls(chat.connection, chat_id).values()
            if call.answered_by is None
        ]
        return Answered(chat=wire_chat(chat.row), open_calls=still_open, lost=lost)

    return await on_chat(door, chat_id, asker, Transition.COMPLETE_ACTION, answers, Answered, work)
