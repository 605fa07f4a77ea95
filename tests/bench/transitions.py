"""A transition through the door, compared with the same statements on a bare connection.

The bare connection runs the statements that the door's database sent, recorded once, on sqlite3
with the same pragmas, in the measuring thread. The difference is SQLAlchemy, the rules, the JSON
columns, and the hop to the writer thread and back.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.figures import Effort, Figure, at_most
from bench.statements import Statement, recorded
from palaver.clock import SystemClock
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.messages import Text, Usage
from palaverd.pubsub.local import LocalHub
from palaverd.store import sqlite as engine
from palaverd.store.access import ensure_user
from palaverd.store.door import Door
from palaverd.store.history import NewMessage
from palaverd.store.locked import LockedChat
from palaverd.store.migrate import migrate
from palaverd.store.sqlite import SqliteDatabase
from palaverd.store.transitions.turn import commit_response, finish_turn, record_attempt
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat, send_message
from support.store import context_of

AIM = at_most(4.0)
CHATS = 150  # chats in a run, each with all the operations below
OWNER = "local"
QUESTION = "What does a write-ahead log buy, and what does it cost? " * 4
ANSWER = "It turns random writes into sequential ones, and readers need not wait. " * 20

Operation = tuple[str, Callable[[Door, str], Awaitable[Any]]]


async def _create(door: Door, _chat_id: str) -> str:
    new = CreateChat(QUESTION, title="bench", model="sonnet")
    sent = await create_chat(context_of(door, "sonnet"), Asker(OWNER, door.new_id()), new)
    return sent.chat.id


async def _attempt(door: Door, chat_id: str) -> None:
    await door.apply(chat_id, lambda chat: record_attempt(chat, "sonnet"))


async def _commit(door: Door, chat_id: str) -> None:
    message = NewMessage(
        role="assistant",
        parts=[Text(ANSWER)],
        model="sonnet",
        finish="stop",
        usage=Usage(input_tokens=100, output_tokens=400),
        runtime_ms=1000,
        episode="1.1",
    )

    def work(chat: LockedChat) -> None:
        commit_response(chat, message)
        finish_turn(chat)

    await door.apply(chat_id, work)


async def _send(door: Door, chat_id: str) -> None:
    asker = Asker(OWNER, door.new_id())
    await send_message(context_of(door), chat_id, asker, SendMessage(QUESTION))


OPERATIONS: tuple[Operation, ...] = (
    ("create", _create),
    ("record_attempt", _attempt),
    ("commit_response + finish_turn", _commit),
    ("send", _send),
)


async def run(effort: Effort) -> list[Figure]:
    """Measure each operation; return the medians."""
    with tempfile.TemporaryDirectory(prefix="pv-bench") as folder:
        chats = effort.count(CHATS, 2)
        script, _ = await _through_the_door(Path(folder) / "script.db", chats, record=True)
        # Half of the chats before the bare connection's turn and half after it: noise affects both.
        _, ours = await _through_the_door(Path(folder) / "door.db", chats)
        hand = await asyncio.to_thread(_by_hand, Path(folder) / "hand.db", script)
        _, again = await _through_the_door(Path(folder) / "again.db", chats)
        hand_again = await asyncio.to_thread(_by_hand, Path(folder) / "hand-again.db", script)
    figures = []
    for name, _ in OPERATIONS:
        mine = median(ours[name] + again[name])
        theirs = median(hand[name] + hand_again[name])
        figures.append(
            Figure(
                f"transition: {name}", mine, "us", theirs, "the same SQL by hand, one thread", AIM
            )
        )
    return figures


Timings = dict[str, list[float]]  # microseconds
Script = list[tuple[str, list[Statement]]]


async def _through_the_door(
    path: Path, chats: int, *, record: bool = False
) -> tuple[Script, Timings]:
    database = SqliteDatabase(path, SystemClock())
    door = Door(database, LocalHub(), SystemClock(), random.Random(1))
    timings: Timings = {name: [] for name, _ in OPERATIONS}
    script: Script = []
    await database.open(migrate)
    await database.write(lambda connection: ensure_user(connection, OWNER, 0))
    for _ in range(chats):
        chat_id = ""
        for name, operation in OPERATIONS:
            if record:
                with recorded() as statements:
                    result = await operation(door, chat_id)
                script.append((name, statements))
            else:
                began = time.perf_counter()
                result = await operation(door, chat_id)
                timings[name].append((time.perf_counter() - began) * 1e6)
            chat_id = result or chat_id
    await database.close()
    return script, timings


def _by_hand(path: Path, script: Script) -> Timings:
    """Replay `script`, which has BEGIN IMMEDIATE; the commit is a call of the driver."""
    connection = sqlite3.connect(path, isolation_level=None)
    _prepare(connection)
    timings: Timings = {name: [] for name, _ in OPERATIONS}
    for name, statements in script:
        began = time.perf_counter()
        for text, parameters, many in statements:
            if many:
                connection.executemany(text, parameters)
            else:
                connection.execute(text, parameters).fetchall()
        connection.commit()
        timings[name].append((time.perf_counter() - began) * 1e6)
    connection.close()
    return timings


def _prepare(connection: sqlite3.Connection) -> None:
    """Set the pragmas of `SqliteDatabase`, and create its schema."""
    for pragma in engine._PRAGMAS:
        connection.execute(pragma)
    for text in _schema():
        connection.execute(text)
    connection.execute("INSERT INTO users (id, created_at) VALUES (?, 0)", (OWNER,))


def _schema() -> list[str]:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    memory = create_engine("sqlite://", poolclass=StaticPool)
    with memory.begin() as connection:
        migrate(connection)
        found = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
            " AND name NOT LIKE 'search_index_%'"  # FTS5 makes them
        )
        texts = [str(row[0]) for row in found]
    memory.dispose()
    return texts
