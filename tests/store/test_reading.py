"""Reads and their deadline: a database that hangs, and one that is only busy."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from palaverd.store.database import READ_DEADLINE_S, DatabaseError
from palaverd.store.migrate import migrate
from palaverd.store.readers import Readers
from palaverd.store.sqlite import READERS, SqliteDatabase
from support.clock import ManualClock, until


class Gate:
    """Reads that hang until the test lets them through, one by one."""

    def __init__(self) -> None:
        self._open = threading.Semaphore(0)

    def read(self, connection: Connection) -> int:
        self._open.acquire()
        return one(connection)

    def let_through(self, count: int) -> None:
        self._open.release(count)


@asynccontextmanager
async def opened(path: Path, gate: Gate) -> AsyncIterator[tuple[SqliteDatabase, ManualClock]]:
    clock = ManualClock()
    database = SqliteDatabase(path / "palaver.db", clock)
    await database.open(migrate)
    try:
        yield database, clock
    finally:
        gate.let_through(100)
        await database.close()


async def test_a_database_that_stands_still_is_told_after_the_deadline(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as (database, clock):
        reads = [asyncio.create_task(database.read(gate.read)) for _ in range(READERS + 1)]
        await until(lambda: len(clock.waits()) == len(reads))
        clock.advance(READ_DEADLINE_S - 0.1)
        await asyncio.sleep(0)
        assert not any(read.done() for read in reads)
        clock.advance(0.1)
        for read in reads:
            with pytest.raises(DatabaseError, match="did not answer in time"):
                await read


async def test_a_database_that_is_busy_answers_each_in_its_turn(tmp_path: Path) -> None:
    """Each deadline passes several times, and each time another read returned meanwhile."""
    gate = Gate()
    async with opened(tmp_path, gate) as (database, clock):
        reads = [asyncio.create_task(database.read(gate.read)) for _ in range(3 * READERS)]
        for answered in range(1, len(reads) + 1):
            await until(lambda: len(clock.waits()) == len(reads) - answered + 1)  # noqa: B023
            gate.let_through(1)
            await until(lambda: sum(read.done() for read in reads) == answered)  # noqa: B023
            clock.advance(READ_DEADLINE_S)
        assert await asyncio.gather(*reads) == [1] * len(reads)


async def test_a_connection_that_could_not_be_made_is_made_by_the_next_read(tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    path.mkdir()  # it cannot be opened as a file
    reading = {"check_same_thread": False}
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args=reading)
    readers = Readers(engine, 1)
    await readers.open(one)
    try:
        with pytest.raises(DatabaseError, match="unable to open"):
            await readers.submit(one)
        path.rmdir()
        assert await readers.submit(one) == 1
    finally:
        await readers.close()


async def test_readers_need_no_file_descriptor_after_the_start(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as (database, _):
        journal = f"{database.path}-wal"
        await until(lambda: open_files().count(journal) >= READERS + 1)
        before = open_files()
        gate.let_through(2 * READERS)
        await asyncio.gather(*(database.read(gate.read) for _ in range(2 * READERS)))
        assert open_files() == before


def one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


def open_files() -> list[str]:
    """Return the open files of this process."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the descriptor that read the list
            found.append(str(descriptor.readlink()))
    return sorted(path for path in found if path.startswith("/"))
