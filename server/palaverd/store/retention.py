"""Remove deleted messages that are old enough.

A few of their rows are kept without content: by them clients that come back from an older snapshot
learn from which message on their history was dropped (`sync.Changes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, tuple_, update

from palaver.wire.messages import ToolCall
from palaverd.store import codec
from palaverd.store.tables import idempotency_keys, messages, tool_runs

_A_CHAT = (
    select(messages.c.chat_id)
    .where(messages.c.deleted_at < bindparam("before"))
    .order_by(messages.c.deleted_at)
    .limit(1)
)
_DELETED = (
    select(messages.c.id, messages.c.revision, messages.c.deleted_at)
    .where(messages.c.chat_id == bindparam("of_chat"), messages.c.deleted)
    .order_by(messages.c.id)
)


class Deleted(msgspec.Struct, frozen=True):
    """A deleted message. `at` (milliseconds) is None if its content was removed."""

    id: int
    revision: int
    at: int | None


def markers(deleted: Iterable[Deleted]) -> set[int]:
    """Return the ids of the rows to keep: for every snapshot, the first one deleted since.

    `deleted` is ordered by id. A message is not needed if an earlier one was deleted with it or
    later: a client that missed the one is told the other.
    """
    needed, newest = set(), -1
    for one in deleted:
        if one.revision > newest:
            needed.add(one.id)
            newest = one.revision
    return needed


def purge_deleted(connection: Connection, before: int, most: int) -> int:
    """Remove messages that were deleted before a time (milliseconds), at most `most` at a time.

    Returns how many messages lost their content; 0 if none is old enough.
    """
    chat_id = connection.execute(_A_CHAT, {"before": before}).scalar()
    if chat_id is None:
        return _forget_removed(connection, before, most)
    rows = connection.execute(_DELETED, {"of_chat": chat_id})
    deleted = [Deleted(row.id, row.revision, row.deleted_at) for row in rows]
    needed = markers(deleted)
    old = [one.id for one in deleted if one.at is not None and one.at < before][:most]
    _forget_calls(connection, chat_id, old)
    connection.execute(
        update(messages)
        .where(messages.c.id.in_([one for one in old if one in needed]))
        .values(parts="[]", private=None, usage=None, deleted_at=None, files=None)
    )
    empty = [one.id for one in deleted if one.at is None]
    over = [one for one in [*old, *empty] if one not in needed]
    connection.execute(delete(messages).where(messages.c.id.in_(over)))
    return len(old)


def _forget_removed(connection: Connection, before: int, most: int) -> int:
    """Remove messages that were taken out of a queue; they are stored with the request's key."""
    keys = idempotency_keys.c
    old = select(keys.owner, keys.key).where(keys.removed.is_not(None), keys.created_at < before)
    found = [tuple(row) for row in connection.execute(old.limit(most))]
    these = tuple_(keys.owner, keys.key).in_(found)
    if found:
        connection.execute(update(idempotency_keys).where(these).values(removed=None))
    return len(found)


def _forget_calls(connection: Connection, chat_id: str, ids: Sequence[int]) -> None:
    """Remove clients' answers to calls of these messages."""
    found = connection.execute(select(messages.c.parts).where(messages.c.id.in_(ids))).scalars()
    parts = [part for text in found for part in codec.load_parts(text)]
    calls = [part.id for part in parts if isinstance(part, ToolCall)]
    if calls:
        connection.execute(
            delete(tool_runs).where(tool_runs.c.chat_id == chat_id, tool_runs.c.call_id.in_(calls))
        )
