"""Connections that read: aiosqlite's, with one hop to its thread for a whole transaction.

Awaiting single statements, as SQLAlchemy's dialect for aiosqlite does, costs a hop and a turn of
the event loop for every statement: on a busy machine a read of a few milliseconds then takes
seconds.
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

# Rows that aiosqlite's own cursors would fetch at once. None of them is used here.
_CHUNK = 64


class _Reader:
    """One connection of `engine`, in aiosqlite's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._driver: aiosqlite.Connection | None = None
        self._connection: Connection | None = None

    async def run(self, work: Work[T]) -> T:
        """Run `work` in the thread; connect before, if that has not been possible yet."""
        driver = self._driver
        if driver is None:
            driver = await aiosqlite.Connection(self._connect, _CHUNK)
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
        """Close the connection and end its thread; while that runs, the process cannot exit."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await _hop(driver, self._connected().close)
            await driver.close()


async def _hop(driver: aiosqlite.Connection, work: Callable[[], T]) -> T:
    """Run `work` in the thread of a connection; return what it returns, raise what it raises."""
    # Not public, and the only way to do so: the version is held to one that has it.
    execute: Callable[[Callable[[], T]], Awaitable[T]] = driver._execute
    return await execute(work)


class Readers:
    """`count` readers; who asks gets the next that is free."""

    def __init__(self, engine: Engine, count: int) -> None:
        self._engine = engine
        self._readers = [_Reader(engine) for _ in range(count)]
        self._free: asyncio.Queue[_Reader] = asyncio.Queue()
        self._reading: set[asyncio.Task[Any]] = set()
        self.ended = 0  # reads that are over, well or badly

    async def open(self, first: Work[object]) -> None:
        """Let each connect and do `first`, so that what it needs is opened while it can be.

        One that cannot says why when it is asked for something.
        """
        for reader in self._readers:
            with suppress(DBAPIError):
                await reader.run(first)
            self._free.put_nowait(reader)

    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        """Run `work` when its turn comes; the task has what it returned or raised.

        It is a task of its own: whoever stops waiting must not let a connection go that still
        reads. What the driver raises is a `DatabaseError`.
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
            reading.exception()  # told to whoever waited, if anybody still did

    async def close(self) -> None:
        """Finish what was submitted, and close the connections."""
        if self._reading:
            await asyncio.wait(self._reading)
        for reader in self._readers:
            await reader.close()
        self._engine.dispose()
