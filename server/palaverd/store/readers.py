"""Reading connections, through aiosqlite: a whole transaction is one hop to its thread.

Awaiting single statements, as SQLAlchemy's dialect for aiosqlite does, costs a hop and a turn of
the event loop for each: on a busy machine a read of a few milliseconds then takes seconds.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from palaverd.store.writer import as_database_error

T = TypeVar("T")
Work = Callable[[Connection], T]

# aiosqlite's iter_chunk_size, which is unused here.
_CHUNK = 64


class _Reader:
    """One connection of `engine`, in aiosqlite's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._driver: aiosqlite.Connection | None = None
        self._connection: Connection | None = None

    async def run(self, work: Work[T]) -> T:
        """Run `work` in the thread; connect first, if it is not connected."""
        driver = self._driver
        if driver is None:
            driver = aiosqlite.Connection(self._connect, _CHUNK)
            try:
                await driver
            except Exception:
                # It tells its thread to end, and does not wait: the thread would report to an event
                # loop that may be closed by then.
                await asyncio.to_thread(driver._thread.join)
                raise
            self._driver = driver
        return await _hop(driver, lambda: work(self._connected()))

    def _connect(self) -> sqlite3.Connection:
        self._connection = self._engine.connect()
        driver = self._connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return driver

    def _connected(self) -> Connection:
        assert self._connection is not None
        return self._connection

    async def close(self) -> None:
        """Close the connection and end its thread, which would keep the process alive."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await _hop(driver, self._connected().close)
            await driver.close()


async def _hop(driver: aiosqlite.Connection, work: Callable[[], T]) -> T:
    """Run `work` in the thread of a connection; return or raise its result."""
    # Not public, but the only way: pyproject.toml pins a version that has it.
    execute: Callable[[Callable[[], T]], Awaitable[T]] = driver._execute
    return await execute(work)


class Readers:
    """A pool of `count` readers; a read takes the next free one."""

    def __init__(self, engine: Engine, count: int) -> None:
        self._engine = engine
        self._readers = [_Reader(engine) for _ in range(count)]
        # The last one used comes first: few threads take turns while few read.
        self._free: asyncio.LifoQueue[_Reader] = asyncio.LifoQueue()
        self._reading: set[asyncio.Task[Any]] = set()
        self.ended = 0  # reads that have ended, successfully or not

    async def open(self, first: Work[object]) -> None:
        """Connect each reader and run `first`, so that files are opened while they can be.

        A reader that cannot connect reports the error at its first read.
        """
        for reader in self._readers:
            with suppress(DBAPIError):
                await reader.run(first)
            self._free.put_nowait(reader)

    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        """Run `work` with the next free reader; return a task with its result.

        It is a task of its own: a cancelled caller must not free a connection that still reads.
        Errors of the driver become `DatabaseError`.
        """
        reading = asyncio.create_task(self._run(work))
        self._reading.add(reading)
        reading.add_done_callback(self._done)
        return reading

    async def _run(self, work: Work[T]) -> T:
        reader = await self._free.get()
        try:
            return await reader.run(work)
        except DBAPIError as error:
            raise as_database_error(error) from error
        finally:
            self.ended += 1
            self._free.put_nowait(reader)

    def _done(self, reading: asyncio.Task[Any]) -> None:
        self._reading.discard(reading)
        if not reading.cancelled():
            reading.exception()  # mark as retrieved

    async def close(self) -> None:
        """Wait for submitted reads, and close the connections."""
        if self._reading:
            await asyncio.wait(self._reading)
        for reader in self._readers:
            await reader.close()
        self._engine.dispose()
