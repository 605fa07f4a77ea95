"""Transitions that rewrite history: edit, fork, clear, and request a compaction."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, insert, select, update

from palaver.wire.messages import Boundary, QueuedMessage
from palaverd.chatstate.errors import NotAUserMessage, Refused, StaleVersion
from palaverd.chatstate.states import Status
from palaverd.chatstate.table import Transition
from palaverd.store.attempts import clear_partial, close_attempt
from palaverd.store.calls import give_up, stored_calls
from palaverd.store.history import (
    NewMessage,
    NewUserMessage,
    answer_open_calls,
    enter_history,
    insert_messages,
    open_calls,
)
from palaverd.store.locked import LockedChat
from palaverd.store.sync import load_queue
from palaverd.store.tables import messages, queued_messages

# Messages; the least to summarise is a question and its answer.
COMPACTABLE = 2


class Rewritten(msgspec.Struct, frozen=True):
    """The replacing message, and the queued messages that were dropped."""

    message_id: int
    dropped_queue: list[QueuedMessage]


def edit(
    chat: LockedChat, message_id: int, replacement: NewUserMessage, history_version: int
) -> Rewritten:
    """Replace a user message: it, all after it, the queue and current work are dropped.

    Raises:
        StaleVersion: the history is not the one that the client saw.
        NotAUserMessage: there is no such message of a user.
    """
    row = chat.row
    _same_history(chat, Transition.EDIT, history_version)
    with chat.transition(Transition.EDIT):
        if _role_of(chat, message_id) != "user":
            raise NotAUserMessage(
                Transition.EDIT, row.state, f"there is no message {message_id} of a user"
            )
        dropped_queue = load_queue(chat.connection, row.chat_id)
        close_attempt(chat, "edited")
        clear_partial(chat)
        open_ = [call.id for call in open_calls(chat.connection, row.chat_id)]
        give_up(chat, stored_calls(chat.connection, row.chat_id, open_).values())
        chat.connection.execute(
            update(messages)
            .where(messages.c.chat_id == row.chat_id, messages.c.id >= message_id)
            .where(~messages.c.deleted)
            .values(deleted=True, deleted_at=chat.now, revision=row.snapshot_version)
        )
        chat.connection.execute(
            delete(queued_messages).where(queued_messages.c.chat_id == row.chat_id)
        )
        row.queue_length = 0
        row.queue_held = False
        row.status = Status.RUNNING
        row.waiting_for_children = False
        row.compaction_requested_at = None
        return Rewritten(
            message_id=enter_history(chat, replacement),
            dropped_queue=dropped_queue,
        )


def fork(source: LockedChat, target: LockedChat, message_id: int) -> None:
    """Fill a new chat with the history of another up to and including a message.

    Raises:
        NotAUserMessage: the source has no such message.
    """
    found = source.connection.execute(
        select(messages)
        .where(messages.c.chat_id == source.row.chat_id, ~messages.c.deleted)
        .where(messages.c.id <= message_id)
        .order_by(messages.c.id)
    ).mappings()
    copied = [dict(one) for one in found]
    if not copied or copied[-1]["id"] != message_id:
        raise NotAUserMessage(
            Transition.FORK, source.row.state, f"there is no message {message_id}"
        )
    with target.transition(Transition.FORK):
        row = target.row
        row.history_version = row.turn_version = row.snapshot_version
        row.context_tokens = source.row.context_tokens
        row.context_limit = source.row.context_limit
        target.flush()
        for one in copied:
            del one["id"]
            one |= {
                "chat_id": row.chat_id,
                "revision": row.snapshot_version,
                "episode": None,
                "queued_id": None,
                # The sender of the original must not mistake the copy for it.
                "key": None,
            }
        target.connection.execute(insert(messages), copied)
        answer_open_calls(target, "The conversation was forked before this call gave a result.")


def clear_context(chat: LockedChat, history_version: int) -> None:
    """Hide the history from the model, not from users.

    Raises:
        StaleVersion: the history is not the one that the client saw.
    """
    _same_history(chat, Transition.CLEAR_CONTEXT, history_version)
    with chat.transition(Transition.CLEAR_CONTEXT):
        answer_open_calls(chat, "The context was cleared before this call gave a result.")
        line = NewMessage(role="system", parts=[Boundary(reason="cleared")], boundary=True)
        insert_messages(chat, [line])
        chat.row.context_tokens = None
        chat.row.status = Status.WAITING


def request_compaction(chat: LockedChat) -> None:
    """Ask the worker to summarise the context.

    Raises:
        Refused: there is nothing to compact.
    """
    row = chat.row
    with chat.transition(Transition.REQUEST_COMPACTION):
        if _since_boundary(chat) < COMPACTABLE:
            raise Refused(
                Transition.REQUEST_COMPACTION, row.state, "there is nothing to compact yet"
            )
        row.status = Status.RUNNING
        row.compaction_requested_at = chat.now
        row.history_version = row.turn_version = row.snapshot_version


def abandon_compaction(chat: LockedChat) -> None:
    """Continue the turn without the requested compaction, which failed."""
    with chat.transition(Transition.ABANDON_COMPACTION):
        chat.row.compaction_requested_at = None
        chat.row.history_version = chat.row.snapshot_version


def _same_history(chat: LockedChat, transition: Transition, seen: int) -> None:
    if seen != chat.row.history_version:
        raise StaleVersion(
            transition, chat.row.state, "the conversation changed; look at it again first"
        )


def _role_of(chat: LockedChat, message_id: int) -> str | None:
    """Return the role of a message, None if users see no such message."""
    return chat.connection.execute(
        select(messages.c.role)
        .where(messages.c.chat_id == chat.row.chat_id, ~messages.c.deleted)
        .where(messages.c.id == message_id, messages.c.visibility != "model")
    ).scalar()


def _since_boundary(chat: LockedChat) -> int:
    """Return the number of messages that the model sees, up to `COMPACTABLE`."""
    found = chat.connection.execute(
        select(messages.c.boundary)
        .where(messages.c.chat_id == chat.row.chat_id, ~messages.c.deleted)
        .where(messages.c.visibility != "user")
        .order_by(messages.c.id.desc())
        .limit(COMPACTABLE)
    ).scalars()
    count = 0
    for boundary in found:
        if boundary:
            break
        count += 1
    return count
