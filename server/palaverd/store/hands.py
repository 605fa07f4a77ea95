"""Threads that run whole transactions on SQLite connections of their own: one hop for each.

Awaiting single statements costs a hop, and a turn of the event loop, for every statement: on a
busy machine a read of a few milliseconds then takes seconds.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from palaverd.store.database import DatabaseError

T = TypeVar("T")
Work = Callable[[Connection], T]


class Hands:
    """`count` threads that share one queue.

    Each does `first` when it begins, so that what a connection needs is opened while it can be.
    If that fails, its first job tries again and says why.
    """

    def __init__(
        self, engine: Engine, count: int, name: str, first: Work[object] | None = None
    ) -> None:
        self._engine = engine
        self._first = first
        self._jobs: SimpleQueue[Callable[[_Holder], None] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"palaverd-{name}", daemon=True)
            for _ in range(count)
        ]
        self.ended = 0  # jobs that are over, well or badly; told after they are counted
        for thread in self._threads:
            thread.start()

    def submit(
        self, work: Work[T], committed: Callable[[T], None] | None = None
    ) -> asyncio.Future[T]:
        """Run `work` when its turn comes; the future has what it returned or raised.

        `committed` runs on the event loop with the result, also when nobody waits any more.
        What the driver raises is a `DatabaseError` in the future.
        """
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

        def job(holder: _Holder) -> None:
            tell: Callable[[], None]
            try:
                tell = partial(succeed, work(holder.connection()))
            except DBAPIError as error:
                tell = partial(fail, _as_database_error(error))
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                tell = partial(fail, error)
            self.ended += 1
            loop.call_soon_threadsafe(tell)

        self._jobs.put(job)
        return done

    def _run(self) -> None:
        holder = _Holder(self._engine)
        try:
            if self._first is not None:
                with suppress(DBAPIError):
                    self._first(holder.connection())
            while (job := self._jobs.get()) is not None:
                job(holder)
        finally:
            holder.close()

    async def close(self) -> None:
        """Finish what was submitted, and close the connections."""
        for _ in self._threads:
            self._jobs.put(None)
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        for thread in self._threads:
            thread.join()
        self._engine.dispose()


class _Holder:
    """One thread's connection. One that could not be made is tried again by the next job."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _as_database_error(error: DBAPIError) -> DatabaseError:
    cause = str(error.orig).rstrip(".")
    failure = DatabaseError(f"The database refused: {cause}.")
    failure.__cause__ = error
    return failure
