"""Messages and the queue of a locked chat: the writes that transitions share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from palaver.wire.errors import ChatError
from palaver.wire.messages import (
    Failure,
    File,
    Finish,
    Part,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    Visibility,
)
from palaverd.chatstate.errors import BrokenInvariant
from palaverd.chatstate.states import Status
from palaverd.store import codec
from palaverd.store.calls import RunState, committed, give_up, stored_calls
from palaverd.store.locked import LockedChat
from palaverd.store.tables import messages, queued_messages

_APPEND = insert(messages).returning(messages.c.id, sort_by_parameter_order=True)
# The id of a chat's last user message; NULL without one.
LAST_USER = (
    select(func.max(messages.c.id))
    .where(messages.c.chat_id == bindparam("of_chat"))
    .where(messages.c.role == "user", ~messages.c.deleted)
    .scalar_subquery()
)
_SINCE_LAST_USER = (
    select(messages.c.parts)
    .where(messages.c.chat_id == bindparam("of_chat"))
    .where(~messages.c.deleted, messages.c.id > func.coalesce(LAST_USER, 0))
    .order_by(messages.c.id)
)


MAY_HAVE_RUN = "It had begun: it may have had effects."


class NewMessage(msgspec.Struct, frozen=True):
    """A message to append to history; see `palaver.wire.messages.Message`.

    `private` is the provider's private data, by index of the part; `episode` is the live output
    that the message replaces; `queued_id` is its former id in the queue; `key` is the idempotency
    key of the request that sent it; `created_at` is in milliseconds, None for now.
    """

    role: Role
    parts: list[Part]
    visibility: Visibility = "both"
    model: str | None = None
    finish: Finish | None = None
    usage: Usage | None = None
    private: dict[str, str] | None = None
    context_limit: int | None = None
    cost_micros: int | None = None
    runtime_ms: int | None = None
    episode: str | None = None
    queued_id: int | None = None
    key: str | None = None
    created_by: str | None = None
    created_at: int | None = None
    boundary: bool = False


class NewUserMessage(msgspec.Struct, frozen=True):
    """A user's message, and the model chosen for this turn, if any.

    `key` is the idempotency key of the request; a promotion keeps it, and the files.
    """

    content: str
    model: str | None = None
    created_by: str | None = None
    key: str | None = None
    files: Sequence[File] = ()


def row_of(chat: LockedChat, message: NewMessage) -> dict[str, Any]:
    """Return the columns of a new message."""
    return {
        "chat_id": chat.row.chat_id,
        "role": message.role,
        "visibility": message.visibility,
        "content_version": codec.CONTENT_VERSION,
        "parts": codec.dumps(message.parts),
        "private": codec.dumps(message.private) if message.private else None,
        "revision": chat.row.snapshot_version,
        "deleted": False,
        "model": message.model,
        "finish": message.finish,
        "created_by": message.created_by,
        "created_at": chat.now if message.created_at is None else message.created_at,
        "usage": codec.dumps_optional(message.usage),
        "context_limit": message.context_limit,
        "cost_micros": message.cost_micros,
        "runtime_ms": message.runtime_ms,
        "episode": message.episode,
        "queued_id": message.queued_id,
        "key": message.key,
        "boundary": message.boundary,
        "files": codec.dumps_optional(_file_ids(message.parts) or None),
    }


def _file_ids(parts: Iterable[Part]) -> list[str]:
    return [part.id for part in parts if isinstance(part, File)]


def insert_messages(chat: LockedChat, new: Sequence[NewMessage]) -> list[int]:
    """Append messages in one statement, update the history version, and return their ids."""
    rows = [row_of(chat, message) for message in new]
    ids = [int(found.id) for found in chat.connection.execute(_APPEND, rows)]
    chat.row.history_version = chat.row.snapshot_version
    chat.row.updated_at = chat.now
    if any(message.role == "assistant" for message in new):
        chat.note_news()
    return ids


def enter_history(chat: LockedChat, message: NewUserMessage, queued_id: int | None = None) -> int:
    """Append a user message, which begins a turn. Open calls get a result first."""
    if not chat.fresh:  # a new chat has no open calls
        answer_open_calls(chat, "The call was cancelled before it gave a result.")
    [message_id] = insert_messages(chat, [from_user(message, queued_id)])
    chat.row.turn_version = chat.row.snapshot_version
    return message_id


def from_user(message: NewUserMessage, queued_id: int | None) -> NewMessage:
    """Return a user's message as one of history."""
    return NewMessage(
        role="user",
        parts=[Text(message.content), *message.files],
        model=message.model,
        created_by=message.created_by,
        queued_id=queued_id,
        key=message.key,
    )


def open_calls(connection: Connection, chat_id: str) -> list[ToolCall]:
    """Return the calls without a result, in call order. They follow the last user message."""
    found = connection.execute(_SINCE_LAST_USER, {"of_chat": chat_id})
    return unanswered(part for (parts,) in found for part in codec.load_parts(parts))


def unanswered(parts: Iterable[Part]) -> list[ToolCall]:
    """Return the calls among `parts` that no result follows, in call order."""
    calls: dict[str, ToolCall] = {}
    for part in parts:
        if isinstance(part, ToolCall):
            calls[part.id] = part
        elif isinstance(part, ToolResult):
            calls.pop(part.call_id, None)
    return list(calls.values())


def answer_open_calls(
    chat: LockedChat, text: str, known: Mapping[str, ToolResult] | None = None
) -> None:
    """Give every open call a result: providers refuse a call without one.

    It is the one in `known` or in the journal, else `text`. Of a call that had begun, `text` is
    followed by a sentence that says so.
    """
    calls = open_calls(chat.connection, chat.row.chat_id)
    if not calls:
        return
    stored = stored_calls(chat.connection, chat.row.chat_id, [call.id for call in calls])
    results: list[Part] = []
    for call in calls:
        entry = stored.get(call.id)
        result = (known or {}).get(call.id) or (entry.result if entry is not None else None)
        if result is None:
            begun = entry is not None and entry.state is RunState.STARTED
            said = f"{text} {MAY_HAVE_RUN}" if begun else text
            result = ToolResult(call_id=call.id, text=said, is_error=True)
        results.append(result)
    ended = [call for call in stored.values() if call.result or call.call_id in (known or {})]
    give_up(chat, [call for call in stored.values() if call not in ended])
    committed(chat, [call.call_id for call in ended])
    insert_messages(chat, [NewMessage(role="tool", parts=results)])


def fail(chat: LockedChat, error: ChatError, open_calls_get: str) -> None:
    """Set the chat's error, and append it to history, where it stays.

    The row's error is cleared when the next turn begins. Open calls get the result
    `open_calls_get`.
    """
    answer_open_calls(chat, open_calls_get)
    insert_messages(chat, [NewMessage(role="system", visibility="user", parts=[Failure(error)])])
    chat.row.status = Status.ERROR
    chat.row.last_error = error
    chat.note_news()


def enqueue(
    chat: LockedChat,
    message: NewUserMessage,
    position: int | None = None,
    *,
    steer_turn: int | None = None,
) -> int:
    """Insert a message into the queue, at `position` (from 0) or at the end; return its id."""
    queue = queue_ids(chat.connection, chat.row.chat_id)
    place = len(queue) if position is None else min(max(position, 0), len(queue))
    [queued_id] = chat.connection.execute(
        insert(queued_messages)
        .values(
            chat_id=chat.row.chat_id,
            position=place,
            content=message.content,
            model=message.model,
            created_by=message.created_by,
            created_at=chat.now,
            key=message.key,
            steer_turn=steer_turn,
            files=codec.dumps(message.files) if message.files else None,
        )
        .returning(queued_messages.c.id)
    ).scalars()
    write_order(chat, [*queue[:place], queued_id, *queue[place:]])
    chat.row.queue_length += 1
    chat.row.updated_at = chat.now
    chat.touch_queue()
    return int(queued_id)


def queue_ids(connection: Connection, chat_id: str) -> list[int]:
    """Return the ids of the queued messages in order."""
    return list(
        connection.execute(
            select(queued_messages.c.id)
            .where(queued_messages.c.chat_id == chat_id)
            .order_by(queued_messages.c.position, queued_messages.c.id)
        ).scalars()
    )


def write_order(chat: LockedChat, ids: Sequence[int]) -> None:
    """Write the positions of the queue in this order."""
    for position, queued_id in enumerate(ids):
        chat.connection.execute(
            update(queued_messages)
            .where(queued_messages.c.id == queued_id, queued_messages.c.position != position)
            .values(position=position)
        )
    chat.touch_queue()


def take_from_queue(chat: LockedChat, queued_id: int) -> NewUserMessage | None:
    """Remove a message from the queue and return it; None if it is not there."""
    found = chat.connection.execute(
        delete(queued_messages)
        .where(queued_messages.c.chat_id == chat.row.chat_id, queued_messages.c.id == queued_id)
        .returning(
            queued_messages.c.content,
            queued_messages.c.model,
            queued_messages.c.created_by,
            queued_messages.c.key,
            queued_messages.c.files,
        )
    ).first()
    if found is None:
        return None
    chat.row.queue_length -= 1
    chat.touch_queue()
    return NewUserMessage(
        content=found.content,
        model=found.model,
        created_by=found.created_by,
        key=found.key,
        files=codec.load_files(found.files),
    )


def run_head_or_wait(chat: LockedChat) -> None:
    """End a turn: run the head of a free queue, or wait."""
    if chat.row.queue_length > 0 and not chat.row.queue_held:
        chat.row.status = Status.RUNNING
        promote_head(chat)
    else:
        chat.row.status = Status.WAITING


def promote_head(chat: LockedChat) -> int:
    """Move the head of a non-empty queue into history; return the new message's id.

    Raises:
        BrokenInvariant: the row counts messages that do not exist; the chat needs a repair.
    """
    queue = queue_ids(chat.connection, chat.row.chat_id)
    if not queue:
        raise BrokenInvariant(
            chat.row.chat_id, [f"queue_length is {chat.row.queue_length}, none are queued"]
        )
    head = take_from_queue(chat, queue[0])
    assert head is not None
    return enter_history(chat, head, queued_id=queue[0])
