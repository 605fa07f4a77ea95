"""Read what a subscriber lacks, in one read transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from palaver.wire.messages import Message, QueuedMessage, Usage
from palaver.wire.questions import OpenCall
from palaverd.chatstate.errors import ChatNotFound
from palaverd.chatstate.states import Status
from palaverd.store.open_calls import load_open_calls
from palaverd.store.rows import ChatRow, chat_row, wire_message, wire_queued
from palaverd.store.tables import chats, messages, queued_messages

PAGE = 50  # messages that a client gets first; older ones are requested by page

# Statements are built once: building one takes as long as running it.
_CHAT = select(chats).where(chats.c.id == bindparam("of_chat"))
_QUEUE = (
    select(queued_messages)
    .where(queued_messages.c.chat_id == bindparam("of_chat"))
    .order_by(queued_messages.c.position, queued_messages.c.id)
)
_VISIBLE = select(messages).where(
    messages.c.chat_id == bindparam("of_chat"),
    ~messages.c.deleted,
    messages.c.visibility != "model",
)
_NEWEST = _VISIBLE.order_by(messages.c.id.desc()).limit(PAGE)
_CHANGED = _VISIBLE.where(messages.c.revision > bindparam("since")).order_by(messages.c.id)
_TRUNCATED_FROM = select(func.min(messages.c.id)).where(
    messages.c.chat_id == bindparam("of_chat"),
    messages.c.deleted,
    messages.c.revision > bindparam("since"),
)


class ChangedMessage(msgspec.Struct, frozen=True):
    """A new or changed message, and the episode that it replaces."""

    message: Message
    episode: str | None


class Changes(msgspec.Struct, frozen=True):
    """A chat, and what changed in it since a snapshot (None: the newest page).

    `truncated_from` is the smallest message id that was deleted since; `queue` is None if the queue
    did not change. `open_calls` are those that wait for a client, whether or not they changed.
    """

    row: ChatRow
    messages: list[ChangedMessage]
    truncated_from: int | None
    queue: list[QueuedMessage] | None
    last_usage: Usage | None
    open_calls: list[OpenCall]


def load_chat(connection: Connection, chat_id: str, owner: str | None = None) -> ChatRow:
    """Return a chat's row.

    Raises:
        ChatNotFound: there is none, or it is another owner's.
    """
    found: Any = connection.execute(_CHAT, {"of_chat": chat_id}).mappings().first()
    if found is None or (owner is not None and found["owner"] != owner):
        raise ChatNotFound(chat_id)
    return chat_row(found)


def load_changes(connection: Connection, chat_id: str, since: int | None) -> Changes:
    """Return what changed after snapshot `since`, or the newest page.

    Raises:
        ChatNotFound: there is no such chat.
    """
    row = load_chat(connection, chat_id)
    if (alone := row_alone(row, since)) is not None:
        return alone
    changed, truncated_from = (
        _newest(connection, chat_id) if since is None else _changed(connection, row, since)
    )
    queue = None
    if since is None or row.queue_version > since:
        queue = load_queue(connection, chat_id)
    usage = None
    if since is None or row.history_version > since:
        usage = next((m.message.usage for m in reversed(changed) if m.message.usage), None)
    return Changes(
        row=row,
        messages=changed,
        truncated_from=truncated_from,
        queue=queue,
        last_usage=usage,
        open_calls=_open_calls(connection, row),
    )


def load_versions(connection: Connection, chat_ids: Collection[str]) -> dict[str, int]:
    """Return the snapshot versions of those of the chats that exist."""
    found = connection.execute(
        select(chats.c.id, chats.c.snapshot_version).where(chats.c.id.in_(chat_ids))
    )
    return {chat_id: version for chat_id, version in found}  # noqa: C416 - rows are no pairs


def load_owner_versions(connection: Connection, owner: str) -> dict[str, int]:
    """Return the snapshot versions of all chats of an owner."""
    found = connection.execute(
        select(chats.c.id, chats.c.snapshot_version).where(chats.c.owner == owner)
    )
    return {chat_id: version for chat_id, version in found}  # noqa: C416 - rows are no pairs


def row_alone(row: ChatRow, since: int | None) -> Changes | None:
    """Return the changes after `since` if only the row changed; None if there is more to read."""
    if since is None or max(row.history_version, row.queue_version) > since:
        return None
    if row.status == Status.REQUIRES_ACTION:
        return None
    return Changes(
        row=row, messages=[], truncated_from=None, queue=None, last_usage=None, open_calls=[]
    )


def _open_calls(connection: Connection, row: ChatRow) -> list[OpenCall]:
    if row.status != Status.REQUIRES_ACTION:
        return []
    return load_open_calls(connection, row.chat_id)


def load_queue(connection: Connection, chat_id: str) -> list[QueuedMessage]:
    """Return the whole queue in order."""
    found = connection.execute(_QUEUE, {"of_chat": chat_id}).mappings()
    return [wire_queued(one, position) for position, one in enumerate(found)]  # type: ignore[arg-type]


def load_page(
    connection: Connection,
    chat_id: str,
    *,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int = PAGE,
) -> tuple[list[Message], bool]:
    """Return a page of messages and whether there are more.

    Newest first, unless only `after_id` is given: then oldest first.
    """
    query = _VISIBLE
    if before_id is not None:
        query = query.where(messages.c.id < before_id)
    if after_id is not None:
        query = query.where(messages.c.id > after_id)
    forward = after_id is not None and before_id is None
    query = query.order_by(messages.c.id if forward else messages.c.id.desc()).limit(limit + 1)
    of_chat = {"of_chat": chat_id}
    found = [wire_message(one) for one in connection.execute(query, of_chat).mappings()]  # type: ignore[arg-type]
    return found[:limit], len(found) > limit


def _newest(connection: Connection, chat_id: str) -> tuple[list[ChangedMessage], None]:
    found = list(connection.execute(_NEWEST, {"of_chat": chat_id}).mappings())
    return [ChangedMessage(wire_message(one), one["episode"]) for one in reversed(found)], None  # type: ignore[arg-type]


def _changed(
    connection: Connection, row: ChatRow, since: int
) -> tuple[list[ChangedMessage], int | None]:
    if row.history_version <= since:
        return [], None
    of_chat = {"of_chat": row.chat_id, "since": since}
    truncated_from = connection.execute(_TRUNCATED_FROM, of_chat).scalar()
    found = connection.execute(_CHANGED, of_chat).mappings()
    return [ChangedMessage(wire_message(one), one["episode"]) for one in found], truncated_from  # type: ignore[arg-type]
