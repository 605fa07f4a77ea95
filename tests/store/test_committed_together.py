"""Transactions that wait together share a commit, and one that fails takes no other along."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from palaverd.store.database import DatabaseError
from palaverd.store.sqlite import prepare
from palaverd.store.writer import MOST_TOGETHER, Writer
from support.clock import PATIENCE_S

TABLES = (
    "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
    "CREATE TABLE rows (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents)",
)


# Nobody is waited for who holds the lock.
PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA foreign_keys=ON", "PRAGMA busy_timeout=0")


class Database:
    """A writer, and how often its connection tried to begin and to commit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        engine = create_engine(
            f"sqlite:///{path}", poolclass=NullPool, connect_args={"check_same_thread": False}
        )
        self.begun = self.commits = 0
        event.listen(engine, "begin", self._begins)  # before the one that begins
        prepare(engine, "BEGIN IMMEDIATE", pragmas=PRAGMAS)
        event.listen(engine, "commit", self._committed)
        self.writer = Writer(engine)

    def _begins(self, _connection: Connection) -> None:
        self.begun += 1

    def _committed(self, _connection: Connection) -> None:
        self.commits += 1

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep the thread busy within the block, so that what is submitted waits together."""
        free = threading.Event()
        held = self.writer.run(lambda _: free.wait(PATIENCE_S))
        try:
            yield
        finally:
            free.set()
        assert not held.cancelled()

    def rows(self) -> list[int]:
        with sqlite3.connect(self.path) as reading:
            return [row for (row,) in reading.execute("SELECT id FROM rows ORDER BY id")]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(tmp_path / "palaver.db")
    try:
        for table in TABLES:
            await made.writer.submit(partial(Connection.exec_driver_sql, statement=table))
        made.begun = made.commits = 0
        yield made
    finally:
        await made.writer.close()


def insert(row: int, parent: int | None = None) -> Callable[[Connection], int]:
    def work(connection: Connection) -> int:
        connection.exec_driver_sql("INSERT INTO rows VALUES (?, ?)", (row, parent))
        return row

    return work


def late_orphan(row: int) -> Callable[[Connection], int]:
    """Return work that succeeds, but cannot be committed: its parent is looked for only then."""

    def work(connection: Connection) -> int:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        return insert(row, 99)(connection)

    return work


async def test_what_waits_is_one_commit_and_is_reported_in_order(database: Database) -> None:
    told: list[int] = []
    with database.busy():
        waiting = [database.writer.submit(insert(row), told.append) for row in (1, 2, 3)]
    async with asyncio.timeout(PATIENCE_S):
        assert await asyncio.gather(*waiting) == [1, 2, 3]
    assert told == database.rows() == [1, 2, 3]
    assert database.commits == 1


async def test_one_commit_has_a_bounded_number_of_transactions(database: Database) -> None:
    with database.busy():
        waiting = [database.writer.submit(insert(row)) for row in range(MOST_TOGETHER + 1)]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*waiting)
    assert database.commits == 2


async def test_one_that_fails_leaves_nothing_and_the_others_are_kept(database: Database) -> None:
    def fails(connection: Connection) -> int:
        insert(2)(connection)
        raise LookupError("after its first statement")

    with database.busy():
        waiting = [
            database.writer.submit(work) for work in (insert(1), fails, insert(3, 99), insert(4))
        ]
    async with asyncio.timeout(PATIENCE_S):
        first, failed, orphan, last = await asyncio.gather(*waiting, return_exceptions=True)
    assert (first, last, database.rows()) == (1, 4, [1, 4])
    assert isinstance(failed, LookupError)
    assert isinstance(orphan, DatabaseError)
    assert isinstance(orphan.__cause__, IntegrityError)
    assert database.commits == 1


async def test_when_the_commit_fails_each_is_tried_alone(database: Database) -> None:
    told: list[int] = []
    with database.busy():
        waiting = [
            database.writer.submit(work, told.append)
            for work in (insert(1), late_orphan(2), insert(3))
        ]
    async with asyncio.timeout(PATIENCE_S):
        first, orphan, last = await asyncio.gather(*waiting, return_exceptions=True)
    assert (first, last, told, database.rows()) == (1, 3, [1, 3], [1, 3])
    assert isinstance(orphan, DatabaseError)


async def test_the_hint_of_a_commit_is_published_although_its_caller_was_cancelled(
    database: Database,
) -> None:
    told: list[int] = []
    with database.busy():
        waiting = [database.writer.submit(insert(row), told.append) for row in (1, 2)]
        waiting[0].cancel()
    async with asyncio.timeout(PATIENCE_S):
        assert await waiting[1] == 2
    assert told == [1, 2]


async def test_a_write_after_a_failed_commit_succeeds(database: Database) -> None:
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(DatabaseError, match="FOREIGN KEY"):
            await database.writer.submit(late_orphan(1))
        assert await database.writer.submit(insert(2)) == 2
    assert database.rows() == [2]


async def test_while_another_program_has_the_lock_all_fail_at_once(database: Database) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with database.busy():
            waiting = [database.writer.submit(insert(row)) for row in (1, 2, 3)]
        async with asyncio.timeout(PATIENCE_S):
            failed = await asyncio.gather(*waiting, return_exceptions=True)
        assert ["database is locked" in str(error) for error in failed] == [True] * 3
        assert database.begun == 1
        other.execute("ROLLBACK")
    async with asyncio.timeout(PATIENCE_S):
        assert await database.writer.submit(insert(4)) == 4
    assert database.rows() == [4]


async def test_of_those_that_are_tried_alone_each_is_reported_as_it_ends(
    database: Database,
) -> None:
    reported = threading.Event()
    tries: list[int] = []

    def waits_for_the_first(connection: Connection) -> int:
        tries.append(1)
        assert len(tries) == 1 or reported.wait(PATIENCE_S)
        return insert(3)(connection)

    with database.busy():
        waiting = [
            database.writer.submit(insert(1), lambda _: reported.set()),
            database.writer.submit(late_orphan(2)),
            database.writer.submit(waits_for_the_first),
        ]
    async with asyncio.timeout(2 * PATIENCE_S):
        first, orphan, last = await asyncio.gather(*waiting, return_exceptions=True)
    assert (first, last, len(tries)) == (1, 3, 2)
    assert isinstance(orphan, DatabaseError)


async def test_a_full_disk_is_named_although_the_rollback_fails_too(database: Database) -> None:
    def fills(connection: Connection) -> int:
        # SQLite ends the transaction by itself, and the savepoint with it.
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("PRAGMA cache_size = 1")
        with connection.begin_nested():
            for row in range(100_000):
                insert(row)(connection)
        return 0

    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(DatabaseError, match="disk is full"):
            await database.writer.submit(fills)
        with pytest.raises(DatabaseError):
            await database.writer.submit(fills)
