"""A real SQLite database for tests that need no event loop."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, create_engine, insert
from sqlalchemy.pool import StaticPool

from palaver.wire.chats import RetryInfo
from palaver.wire.errors import ChatError
from palaverd.chatstate.states import Queue, State, Status
from palaverd.store import codec
from palaverd.store.acquisition import Taker
from palaverd.store.door import Door, NewChat, fresh_chat
from palaverd.store.migrate import migrate
from palaverd.store.rows import ChatRow, chat_values
from palaverd.store.sqlite import prepare
from palaverd.store.tables import chats, messages, metadata, queued_messages, users
from palaverd.usecases.context import Context

NOW = 1_700_000_000_000  # milliseconds
OWNER = "ann"
ERROR = ChatError(kind="overloaded", message="Too busy.", retryable=True)


@contextmanager
def memory_store() -> Iterator[Connection]:
    """Open a migrated database in memory, with one owner."""
    with _in_memory() as connection:
        _driver(connection).deserialize(_migrated())
        yield connection


@cache
def _migrated() -> bytes:
    """Return the file of such a database: the migrations take 25 ms, a copy of their result 0.1."""
    with _in_memory() as connection:
        with connection.begin():
            migrate(connection)
            connection.execute(insert(users).values(id=OWNER, created_at=NOW))
        return _driver(connection).serialize()


@contextmanager
def _in_memory() -> Iterator[Connection]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    prepare(engine, "BEGIN", pragmas=("PRAGMA foreign_keys=ON",))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _driver(connection: Connection) -> sqlite3.Connection:
    found = connection.connection.dbapi_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def taker(**changes: Any) -> Taker:
    """Return a worker without limits on the machine `here`, with leases of 30 s."""
    unlimited = Taker(worker_id="w", host="here", max_chats=0, max_subagents=0, lease_ms=30_000)
    return msgspec.structs.replace(unlimited, **changes)


def context_of(door: Door, *models: str) -> Context:
    """Return the dependencies of use cases, for a door without a daemon."""
    return Context(door, lambda: models, "here")


def retry_info() -> RetryInfo:
    return RetryInfo(
        attempt=1,
        max_attempts=10,
        delay_ms=1000,
        retrying_at=codec.from_ms(NOW + 1000),
        error=ERROR,
    )


def plant(
    connection: Connection, state: State, *, queued: int = 2, chat_id: str = "c", **changes: Any
) -> ChatRow:
    """Insert a chat in `state` with one user message and, if it has a queue, `queued` in it."""
    status, queue, archived = state.shape
    row = fresh_chat(connection, chat_id, NewChat(owner=OWNER, title="t"), NOW).row
    row.status, row.archived = status.value, archived
    row.snapshot_version = 5
    row.history_version = row.turn_version = 3
    row.queue_held = queue is Queue.HELD
    row.queue_length = 0 if queue is Queue.EMPTY else queued
    if status is Status.ERROR:
        row.last_error = ERROR
    if status is Status.RUNNING:
        row.generation_attempt = 1
    for name, value in changes.items():
        setattr(row, name, value)
    connection.execute(insert(chats).values(**chat_values(row)))
    add_message(connection, row, "user", [{"type": "text", "text": "first"}])
    for position in range(row.queue_length):
        connection.execute(
            insert(queued_messages).values(
                chat_id=chat_id, position=position, content=f"queued {position}", created_at=NOW
            )
        )
    return row


def add_message(connection: Connection, row: ChatRow, role: str, parts: list[Any]) -> int:
    result = connection.execute(
        insert(messages)
        .values(
            chat_id=row.chat_id,
            role=role,
            visibility="both",
            content_version=1,
            parts=codec.dumps(parts),
            revision=row.history_version,
            deleted=False,
            boundary=False,
            created_at=NOW,
        )
        .returning(messages.c.id)
    )
    return int(result.scalar_one())


def dump(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything that is stored, to check that nothing was changed."""
    cursor = _driver(connection).cursor()  # this runs before and after every step
    return {
        table.name: cursor.execute(f"SELECT * FROM {table.name}").fetchall()
        for table in metadata.sorted_tables
    }
