"""Pages of an owner's chats, and lookups of single messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, select, tuple_

from palaver.wire.bounds import Whole
from palaver.wire.messages import File, Message, QueuedMessage
from palaverd.store import codec
from palaverd.store.filters import NOT_ARCHIVED, ChatFilter, conditions
from palaverd.store.rows import ChatRow, chat_row, wire_message
from palaverd.store.sync import load_queue
from palaverd.store.tables import chats, messages

_IN_CHAT = select(messages).where(messages.c.chat_id == bindparam("of_chat"), ~messages.c.deleted)
_SENT = _IN_CHAT.where(messages.c.id == bindparam("of_id"))
_PROMOTED = _IN_CHAT.where(messages.c.queued_id == bindparam("of_id"))
_DROPPED = (
    select(messages)
    .where(messages.c.chat_id == bindparam("of_chat"), messages.c.deleted)
    .where(messages.c.revision == bindparam("of_revision"), messages.c.visibility != "model")
    .where(messages.c.deleted_at.is_not(None))  # else their content is gone
    .order_by(messages.c.id)
)


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The end of the last page: its last chat's activity, id, and place among pinned chats."""

    updated_at: Whole
    chat_id: str
    pin_order: Whole | None = None


def count_chats(connection: Connection) -> dict[tuple[str, bool], int]:
    """Return the number of chats of all owners, by status and whether they are archived."""
    query = select(chats.c.status, chats.c.archived, func.count()).group_by(
        chats.c.status, chats.c.archived
    )
    return {(str(status), bool(put)): int(n) for status, put, n in connection.execute(query)}


def list_chats(
    connection: Connection,
    owner: str,
    *,
    limit: int,
    cursor: Cursor | None = None,
    wanted: ChatFilter = NOT_ARCHIVED,
) -> tuple[list[ChatRow], Cursor | None]:
    """Return a page, and the cursor of the next one (None: this was the last).

    Pinned chats come first, in their order. They are few, and are read by an index of their own;
    one index by pins and activity would be written at each activity.
    """
    query = select(chats).where(chats.c.owner == owner, *conditions(wanted))
    rows: list[ChatRow] = []
    if cursor is None or cursor.pin_order is not None:
        pinned = query.where(chats.c.pin_order.is_not(None))
        if cursor is not None:
            after = (cursor.pin_order, cursor.chat_id)
            pinned = pinned.where(tuple_(chats.c.pin_order, chats.c.id) > after)
        rows += _rows(connection, pinned.order_by(chats.c.pin_order, chats.c.id).limit(limit + 1))
    if len(rows) <= limit:
        others = query.where(chats.c.pin_order.is_(None))
        if cursor is not None and cursor.pin_order is None:
            before = (cursor.updated_at, cursor.chat_id)
            others = others.where(tuple_(chats.c.updated_at, chats.c.id) < before)
        others = others.order_by(chats.c.updated_at.desc(), chats.c.id.desc())
        rows += _rows(connection, others.limit(limit + 1 - len(rows)))
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], Cursor(last.updated_at, last.chat_id, last.pin_order)


def _rows(connection: Connection, query: Select[Any]) -> list[ChatRow]:
    return [chat_row(one) for one in connection.execute(query).mappings()]  # type: ignore[arg-type]


def read_chats(connection: Connection, chat_ids: Sequence[str]) -> list[ChatRow]:
    """Return these chats' rows; missing ones are omitted."""
    found = connection.execute(select(chats).where(chats.c.id.in_(chat_ids))).mappings()
    return [chat_row(one) for one in found]  # type: ignore[arg-type]


def where_is(
    connection: Connection, chat_id: str, message_id: int | None, queued_id: int | None
) -> tuple[Message | None, QueuedMessage | None]:
    """Return a sent message: from history, from the queue, or (None, None) if it is gone."""
    if message_id is None and queued_id is not None:
        for queued in load_queue(connection, chat_id):
            if queued.id == queued_id:
                return None, queued
    query, which = (_PROMOTED, queued_id) if message_id is None else (_SENT, message_id)
    found_message = connection.execute(query, {"of_chat": chat_id, "of_id": which})
    message = found_message.mappings().first()
    return (None if message is None else wire_message(message)), None  # type: ignore[arg-type]


def files_of(connection: Connection, chat_id: str, message_id: int) -> list[File]:
    """Return the files of a message; none if there is no such message."""
    found = connection.execute(_SENT, {"of_chat": chat_id, "of_id": message_id})
    parts = [part for row in found for part in codec.load_parts(row.parts)]
    return [part for part in parts if isinstance(part, File)]


def dropped_by(connection: Connection, chat_id: str, revision: int) -> list[Message]:
    """Return the messages that were dropped by the edit which made snapshot `revision`.

    Messages for the model only are omitted.
    """
    found = connection.execute(_DROPPED, {"of_chat": chat_id, "of_revision": revision})
    return [wire_message(one) for one in found.mappings()]  # type: ignore[arg-type]
