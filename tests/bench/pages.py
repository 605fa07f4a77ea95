"""The list of chats and a history: the cost of reading a long one, compared with a short one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Connection, insert

from bench.figures import Aim, Effort, Figure, Kind, at_most
from palaver.clock import SystemClock
from palaver.wire.messages import Text
from palaverd.store import codec
from palaverd.store.access import ensure_user
from palaverd.store.door import NewChat, fresh_chat
from palaverd.store.listing import Cursor, list_chats
from palaverd.store.migrate import migrate
from palaverd.store.rows import chat_values
from palaverd.store.sqlite import SqliteDatabase
from palaverd.store.sync import load_changes
from palaverd.store.tables import chats, messages

OWNER = "local"
FEW_CHATS, MANY_CHATS = 100, 10_000
SHORT, LONG = 100, 100_000  # messages in a chat
PAGE = 50  # chats in a page
REPEATS = 100
BATCH = 5_000  # rows in one INSERT

FIRST_PAGE_AIM = Aim(Kind.VALUE_AT_MOST, 20.0)
OPEN_AIM = at_most(1.2)


async def run(effort: Effort) -> list[Figure]:
    """Measure reading pages of the list of chats, then opening a chat at its end."""
    few, many = FEW_CHATS, effort.count(MANY_CHATS, 2 * PAGE)
    repeats, messages_in_long = effort.count(REPEATS, 2), effort.count(LONG, SHORT)
    async with store(few, "few") as small, store(many, "many") as large:
        short_first, first = await _alternately(repeats, small, large, first_page)
        count, paging = await _page_to_the_end(large)
        await large.write(lambda c: fill_chat(c, "short", SHORT))
        await large.write(lambda c: fill_chat(c, "long", messages_in_long))
        short, long = await _alternately(
            repeats, large, large, open_chat("short"), open_chat("long")
        )
    what = f"list {many:,} chats"
    return [
        Figure(
            f"{what}: first page", first, "ms", short_first, f"of {few:,} chats", FIRST_PAGE_AIM
        ),
        Figure(f"{what}: a page, to the end ({count} chats)", paging, "ms", first, "the first one"),
        Figure(
            f"open a chat of {messages_in_long:,} messages at its end",
            long,
            "ms",
            short,
            f"of {SHORT}",
            OPEN_AIM,
        ),
    ]


@asynccontextmanager
async def store(chat_count: int, name: str) -> Any:
    """Open a database with `chat_count` chats of one owner."""
    with tempfile.TemporaryDirectory(prefix="pv-bench") as folder:
        database = SqliteDatabase(Path(folder) / f"{name}.db", SystemClock())
        await database.open(migrate)
        await database.write(lambda connection: fill(connection, chat_count))
        yield database
        await database.close()


def fill(connection: Connection, count: int) -> None:
    """Insert chats, each updated a second after the previous one."""
    ensure_user(connection, OWNER, 0)
    for rows in _batches(count):
        values = []
        for number in rows:
            new = NewChat(owner=OWNER, title=f"Chat {number}", model="sonnet")
            row = fresh_chat(connection, f"chat-{number}", new, 1000 * number).row
            row.snapshot_version = row.history_version = row.turn_version = 1
            values.append(chat_values(row))
        connection.execute(insert(chats), values)


def fill_chat(connection: Connection, chat_id: str, count: int) -> None:
    """Insert a chat with `count` messages."""
    row = fresh_chat(connection, chat_id, NewChat(owner=OWNER, title=chat_id), 0).row
    row.snapshot_version = row.history_version = row.turn_version = 1
    connection.execute(insert(chats).values(**chat_values(row)))
    for rows in _batches(count):
        values = [
            {
                "chat_id": chat_id,
                "role": "assistant" if number % 2 else "user",
                "visibility": "both",
                "content_version": codec.CONTENT_VERSION,
                "parts": codec.dumps([Text(f"Message {number}. " * 20)]),
                "revision": 1,
                "deleted": False,
                "created_at": number,
                "boundary": False,
            }
            for number in rows
        ]
        connection.execute(insert(messages), values)


def _batches(count: int) -> Iterator[range]:
    for start in range(0, count, BATCH):
        yield range(start, min(count, start + BATCH))


def first_page(connection: Connection) -> object:
    """Read the first page of the list."""
    return list_chats(connection, OWNER, limit=PAGE)


def open_chat(chat_id: str) -> Callable[[Connection], object]:
    """Return the function that reads a chat for a stream without a position."""
    return lambda connection: load_changes(connection, chat_id, None)


async def _alternately(
    repeats: int,
    one: SqliteDatabase,
    other: SqliteDatabase,
    read: Callable[[Connection], object],
    other_read: Callable[[Connection], object] | None = None,
) -> tuple[float, float]:
    """Return two medians in milliseconds, measured alternately so that noise affects both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        taken[0].append(await _timed(one, read))
        taken[1].append(await _timed(other, other_read or read))
    return median(taken[0]), median(taken[1])


async def _timed(database: SqliteDatabase, read: Callable[[Connection], object]) -> float:
    began = time.perf_counter()
    await database.read(read)
    return (time.perf_counter() - began) * 1000


async def _page_to_the_end(database: SqliteDatabase) -> tuple[int, float]:
    """Return the number of chats in all pages, and the median time of a page in milliseconds."""
    seen, cursor, taken = 0, None, []
    while True:
        began = time.perf_counter()
        rows, cursor = await database.read(_next_page(cursor))
        taken.append((time.perf_counter() - began) * 1000)
        seen += len(rows)
        if cursor is None:
            return seen, median(taken)


def _next_page(cursor: Cursor | None) -> Callable[[Connection], tuple[list[Any], Cursor | None]]:
    return lambda connection: list_chats(connection, OWNER, limit=PAGE, cursor=cursor)
