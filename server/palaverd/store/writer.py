"""The writer thread: whole transactions on one SQLite connection, one hop for each."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from palaverd.store.database import DatabaseError

T = TypeVar("T")


class Writer:
    """A thread with a queue of jobs and one connection of `engine`.

    After a failed connect, the next job tries again.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="palaverd-writer", daemon=True)
        self._thread.start()

    def submit(
        self, work: Callable[[Connection], T], committed: Callable[[T], None] | None = None
    ) -> asyncio.Future[T]:
        """Run `work` in the thread; return a future with its result.

        `committed` runs on the event loop with the result, even if the caller was cancelled; its
        exception is set on the future. Errors of the driver become `DatabaseError`.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def succeed(result: T) -> None:
            if committed is not None:
                try:
                    committed(result)
                except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                    fail(error)
            if not done.done():
                done.set_result(result)

        def fail(error: BaseException) -> None:
            if not done.done():
                done.set_exception(error)

        def job() -> None:
            tell: Callable[[], None]
            try:
                tell = partial(succeed, work(self._connected()))
            except DBAPIError as error:
                tell = partial(fail, as_database_error(error))
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                tell = partial(fail, error)
            loop.call_soon_threadsafe(tell)

        self._jobs.put(job)
        return done

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        if self._connection is not None:
            self._connection.close()

    async def close(self) -> None:
        """Finish submitted jobs, and close the connection."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._engine.dispose()


def as_database_error(error: DBAPIError) -> DatabaseError:
    """Return a driver's error as a `DatabaseError`."""
    cause = str(error.orig).rstrip(".")
    failure = DatabaseError(f"The database refused: {cause}.")
    failure.__cause__ = error
    return failure
