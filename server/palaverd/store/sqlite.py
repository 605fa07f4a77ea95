"""The SQLite engine: one writing connection, a few reading ones, each in its own thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from palaver.clock import Clock, deadline
from palaverd.store.database import READ_DEADLINE_S, DatabaseError
from palaverd.store.readers import Readers
from palaverd.store.search.fts5 import keep_index
from palaverd.store.writer import Writer

T = TypeVar("T")

READERS = 4  # connections; reads are short, and two cores cannot use more
BUSY_TIMEOUT_MS = 5_000  # only a backup or an operator's shell can lock the file

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # an acknowledged write survives a power failure
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)
_READING_PRAGMAS = (f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}", "PRAGMA query_only=ON")


def prepare(engine: Engine, begin: str, *, pragmas: tuple[str, ...] = _PRAGMAS) -> None:
    """Set up each new connection, and begin transactions explicitly with `begin`.

    The sqlite3 module would begin late and deferred, which turns a conflict at the first write into
    an error in the middle of a transaction.
    """

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def change_schema(connection: Connection, work: Callable[[Connection], None]) -> None:
    """Run `work` in a transaction that may rebuild tables.

    SQLite alters most of a table by dropping and recreating it, and with foreign keys on that
    deletes all rows that refer to it. So they are disabled meanwhile, which only works outside a
    transaction, and checked before the commit.

    Raises:
        DatabaseError: a row refers to a missing one; nothing was changed.
    """
    _enforce_keys(connection, "OFF")
    try:
        with connection.begin():
            before = connection.exec_driver_sql("PRAGMA schema_version").scalar()
            work(connection)
            # The check reads every row: not at every start, only after a change.
            changed = connection.exec_driver_sql("PRAGMA schema_version").scalar() != before
            if changed and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise DatabaseError(
                    "The upgrade would leave rows that refer to missing ones; nothing was changed."
                )
    finally:
        _enforce_keys(connection, "ON")


def _enforce_keys(connection: Connection, how: str) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys={how}")


def _in_transaction(connection: Connection, work: Callable[[Connection], T]) -> T:
    with connection.begin():
        return work(connection)


def _look(connection: Connection) -> None:
    """Read once: SQLite opens the files beside a database at the first read."""
    with connection.begin():
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")


class SqliteDatabase:
    """The database of one data directory. `open` it, and always `close` it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._file: tuple[int, int] | None = None  # device and inode
        self._schema_ready = False

    def _engine(self, begin: str, pragmas: tuple[str, ...]) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=str(self.path)),
            poolclass=NullPool,  # each thread keeps its own
            connect_args={"check_same_thread": False},
        )
        prepare(engine, begin, pragmas=pragmas)
        return engine

    async def open(self, prepare_schema: Callable[[Connection], None]) -> None:
        """Start the threads, and run `prepare_schema` in the writer's; see `change_schema`."""
        # Loading the dialect reads files.
        writing = await asyncio.to_thread(self._engine, "BEGIN IMMEDIATE", _PRAGMAS)
        event.listen(writing, "connect", self._on_writer)
        self._writer = Writer(writing)

        def first(connection: Connection) -> None:
            self._check_file()
            change_schema(connection, prepare_schema)
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            keep_index(driver)
            self._schema_ready = True

        await self._writer.run(first)
        reading = await asyncio.to_thread(self._engine, "BEGIN", _READING_PRAGMAS)
        readers = Readers(reading, READERS)
        await readers.open(_look)
        self._readers = readers

    def _on_writer(self, driver: sqlite3.Connection, _record: object) -> None:
        if self._schema_ready:  # connected anew
            keep_index(driver)

    async def write(
        self, work: Callable[[Connection], T], *, committed: Callable[[T], None] | None = None
    ) -> T:
        """Run a writing transaction, in one hop to the writer thread; see `Database.write`."""
        if self._writer is None:
            raise DatabaseError("The database is closed.")

        def checked(connection: Connection) -> T:
            self._check_file()
            return work(connection)

        return await self._writer.submit(checked, committed)

    def _check_file(self) -> None:
        """Check that the open file is still the one at our path.

        SQLite would go on writing to a file that was moved or removed, and all of it would be lost
        at the next start.

        Raises:
            DatabaseError: the file was moved, removed or replaced.
        """
        try:
            found = self.path.stat()
        except OSError:
            found = None
        identity = (found.st_dev, found.st_ino) if found is not None else None
        if self._file is None:
            self._file = identity
        elif identity != self._file:
            raise DatabaseError(
                f"The database file {self.path} was moved or replaced while it was in use. Put "
                "it back, or start the daemon again to use what is there now."
            )

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a reading transaction, in one hop to a reader's thread; see `Database.read`."""
        if self._readers is None:
            raise DatabaseError("The database is closed.")
        readers = self._readers
        reading = readers.submit(lambda connection: _in_transaction(connection, work))
        while True:
            ended = readers.ended
            try:
                async with deadline(self._clock, READ_DEADLINE_S):
                    return await asyncio.shield(reading)
            except TimeoutError:
                # If other reads have ended, the database is busy, not stalled: keep waiting.
                if readers.ended == ended:
                    raise DatabaseError("The database did not answer in time.") from None

    async def close(self) -> None:
        """Close all connections; see `Database.close`."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()
        readers, self._readers = self._readers, None
        if readers is not None:
            await readers.close()
