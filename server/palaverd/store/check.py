"""Check the invariants of stored chats, for tests, `db check` and reconcile."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from palaver.wire.messages import ToolCall, ToolResult
from palaverd.chatstate.invariants import HistoryEntry, history_violations, row_violations
from palaverd.store import codec
from palaverd.store.database import DatabaseError
from palaverd.store.files import engine_on
from palaverd.store.history import queue_ids
from palaverd.store.sync import load_chat
from palaverd.store.tables import chats, messages


def violations(connection: Connection, chat_id: str) -> list[str]:
    """Return the invariants that a chat violates; empty for a good one.

    Raises:
        ChatNotFound: there is none.
    """
    row = load_chat(connection, chat_id)
    queue = queue_ids(connection, chat_id)
    found = connection.execute(
        select(messages.c.id, messages.c.role, messages.c.revision, messages.c.parts)
        .where(messages.c.chat_id == chat_id, ~messages.c.deleted)
        .order_by(messages.c.id)
    )
    history, wrong = [], []
    for message in found:
        if not codec.parts_are_readable(message.parts):
            wrong.append(f"message {message.id} cannot be read")
        parts = codec.load_parts(message.parts)
        history.append(
            HistoryEntry(
                id=message.id,
                role=message.role,
                revision=message.revision,
                calls=frozenset(p.id for p in parts if isinstance(p, ToolCall)),
                answers=frozenset(p.call_id for p in parts if isinstance(p, ToolResult)),
            )
        )
    return wrong + row_violations(row) + history_violations(row, queue, history)


def check_all(path: Path) -> tuple[int, list[str]]:
    """Check every chat of a SQLite file; return their number, and the violations.

    Blocks: call it in a thread.

    Raises:
        DatabaseError: the file cannot be read as Palaver's database.
    """
    wrong: list[str] = []
    try:
        with engine_on(path) as engine, engine.connect() as connection:
            # One snapshot: a daemon may be writing, and half a change looks like a violation.
            connection.exec_driver_sql("BEGIN")
            ids = list(connection.execute(select(chats.c.id)).scalars())
            for chat_id in ids:
                wrong += [f"chat {chat_id}: {one}" for one in violations(connection, chat_id)]
    except DBAPIError as error:
        raise DatabaseError(f"{path} cannot be read: {error.orig}.") from error
    except OSError as error:
        raise DatabaseError(f"{path} cannot be read: {error.strerror}.") from error
    return len(ids), wrong
