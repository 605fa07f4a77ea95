"""SQLite: one writing connection in one thread, aiosqlite for readers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from palaver.clock import Clock, deadline
from palaverd.store.database import READ_DEADLINE_S, DatabaseError

T = TypeVar("T")

READERS = 4  # connections; a read is short, and two cores have no use for more
BUSY_TIMEOUT_MS = 5_000  # only a backup or an operator's shell can hold the file at all

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # acknowledged means on disk, through a power cut too
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)


def prepare(engine: Engine, begin: str, *, pragmas: tuple[str, ...] = _PRAGMAS) -> None:
    """Set up each new connection, and begin transactions ourselves with `begin`.

    The sqlite3 module would otherwise begin late and deferred, which turns a conflict at the
    first write into an error in the middle of a transaction.
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
    """Run `work` in a transaction in which tables may be made anew.

    SQLite alters most of a table by dropping it, and with foreign keys on that deletes all rows
    that refer to it. So they are off meanwhile, which only works outside of a transaction, and
    are checked before the commit.

    Raises:
        DatabaseError: a row refers to one that is not there; nothing was changed.
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


class SqliteDatabase:
    """The engine of one data directory. Open it with `open`, and always close it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._jobs: SimpleQueue[Callable[[Connection], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._writer: Engine | None = None
        self._reading: set[asyncio.Task[Any]] = set()
        self._file: tuple[int, int] | None = None  # device and inode
        self._readers: AsyncEngine | None = None

    def _make_engines(self) -> tuple[Engine, AsyncEngine]:
        writer = create_engine(
            URL.create("sqlite", database=str(self.path)),
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
        )
        prepare(writer, "BEGIN IMMEDIATE")
        readers = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(self.path)),
            pool_size=READERS,
            max_overflow=0,
        )
        prepare(
            readers.sync_engine,
            "BEGIN",
            pragmas=(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}", "PRAGMA query_only=ON"),
        )
        return writer, readers

    async def open(self, prepare_schema: Callable[[Connection], None]) -> None:
        """Start the writer thread and run `prepare_schema` in it, see `change_schema`."""
        # Loading the dialects reads files.
        self._writer, self._readers = await asyncio.to_thread(self._make_engines)
        self._thread = threading.Thread(
            target=self._run, args=(self._writer,), name="palaverd-writer", daemon=True
        )
        self._thread.start()
        await self._submit(lambda connection: change_schema(connection, prepare_schema))

    async def write(
        self, work: Callable[[Connection], T], *, committed: Callable[[T], None] | None = None
    ) -> T:
        """See `Database.write`. The whole transaction is one hop to the writer thread."""
        return await self._submit(lambda connection: _in_transaction(connection, work), committed)

    async def _submit(
        self,
        transaction: Callable[[Connection], T],
        committed: Callable[[T], None] | None = None,
    ) -> T:
        if self._thread is None:
            raise DatabaseError("The database is closed.")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def succeed(result: T) -> None:
            if committed is not None:
                committed(result)
            if not done.done():
                done.set_result(result)

        def fail(error: BaseException) -> None:
            if not done.done():
                done.set_exception(error)

        def job(connection: Connection) -> None:
            try:
                self._check_file()
                result = transaction(connection)
            except DBAPIError as error:
                loop.call_soon_threadsafe(fail, _as_database_error(error))
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                loop.call_soon_threadsafe(fail, error)
            else:
                loop.call_soon_threadsafe(succeed, result)

        self._jobs.put(job)
        return await done

    def _check_file(self) -> None:
        """Refuse to write into a file that is no longer the one at our path.

        SQLite would go on writing into a file that was moved or removed, and all of it would be
        gone at the next start.

        Raises:
            DatabaseError: somebody moved, removed or replaced the file.
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

    def _run(self, writer: Engine) -> None:
        with writer.connect() as connection:
            while (job := self._jobs.get()) is not None:
                job(connection)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """See `Database.read`."""
        if self._readers is None:
            raise DatabaseError("The database is closed.")
        # A task of its own: whoever stops waiting must not cut a connection off in the middle
        # of a statement, which runs on in its thread all the same.
        reading = asyncio.create_task(self._read(self._readers, work))
        self._reading.add(reading)
        reading.add_done_callback(self._done_reading)
        try:
            async with deadline(self._clock, READ_DEADLINE_S):
                return await asyncio.shield(reading)
        except DBAPIError as error:
            raise _as_database_error(error) from error
        except TimeoutError:
            raise DatabaseError("The database did not answer in time.") from None

    @staticmethod
    async def _read(readers: AsyncEngine, work: Callable[[Connection], T]) -> T:
        async with readers.begin() as reader:
            return await reader.run_sync(work)

    def _done_reading(self, reading: asyncio.Task[Any]) -> None:
        self._reading.discard(reading)
        if not reading.cancelled():
            reading.exception()  # told to whoever waited, if anybody still did

    async def close(self) -> None:
        """See `Database.close`."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)
        readers, self._readers = self._readers, None
        if self._reading:
            await asyncio.wait(self._reading)
        if readers is not None:
            await readers.dispose()
        if self._writer is not None:
            await asyncio.to_thread(self._writer.dispose)


def _as_database_error(error: DBAPIError) -> DatabaseError:
    cause = str(error.orig).rstrip(".")
    failure = DatabaseError(f"The database refused: {cause}.")
    failure.__cause__ = error
    return failure
