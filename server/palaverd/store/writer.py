"""The writer thread: whole transactions on one SQLite connection, one hop for each.

Transactions that wait together are committed together: the sync of a commit to disk takes far
longer than what is written, and one serves them all. Each is in a savepoint of its own, so that one
that fails leaves no trace.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from palaverd.store.database import DatabaseError

T = TypeVar("T")

# Transactions in one commit. The first one waits for the work of all: some milliseconds.
MOST_TOGETHER = 32

# Reports a job's result or error; called on the event loop.
Report = Callable[[], None]


class _Job(Generic[T]):
    """Work for the thread, and the future of its result.

    `shares` says that it is a transaction, which may be committed with others.
    """

    def __init__(
        self,
        work: Callable[[Connection], T],
        committed: Callable[[T], None] | None = None,
        *,
        shares: bool = True,
    ) -> None:
        self.work = work
        self.shares = shares
        self._committed = committed
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[T] = self.loop.create_future()

    def succeed(self, result: T) -> None:
        if self._committed is not None:
            try:
                self._committed(result)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                self.fail(error)
        if not self.done.done():
            self.done.set_result(result)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Writer:
    """A thread with a queue of jobs and one connection of `engine`.

    After a failed connect, the next job tries again.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="palaverd-writer", daemon=True)
        self._thread.start()

    def submit(
        self, work: Callable[[Connection], T], committed: Callable[[T], None] | None = None
    ) -> asyncio.Future[T]:
        """Run `work` in a transaction; return a future with its result.

        If the commit that it shares with others fails, all is rolled back and `work` is called once
        more, alone. `committed` runs on the event loop with the result, even if the caller was
        cancelled; its exception is set on the future. Errors of the driver become `DatabaseError`.
        """
        return self._put(_Job(work, committed))

    def run(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Run `work` outside a transaction; return a future with its result."""
        return self._put(_Job(work, shares=False))

    def _put(self, job: _Job[T]) -> asyncio.Future[T]:
        self._jobs.put(job)
        return job.done

    def _run(self) -> None:
        for jobs in self._batches():
            if jobs[0].shares:
                self._commit(jobs)
            else:
                self._perform(jobs[0])
        if self._connection is not None:
            self._connection.close()

    def _batches(self) -> Iterator[list[_Job[Any]]]:
        """Yield the jobs that wait: those that share a commit together, until `close`."""
        batch: list[_Job[Any]] = []
        while (job := self._jobs.get()) is not None:
            if not job.shares:
                if batch:
                    yield batch
                yield [job]
                batch = []
                continue
            batch.append(job)
            if self._jobs.empty() or len(batch) == MOST_TOGETHER:
                yield batch
                batch = []
        if batch:
            yield batch

    def _perform(self, job: _Job[Any]) -> None:
        try:
            report = partial(job.succeed, job.work(self._connected()))
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            report = partial(job.fail, _shown(error))
        _call_on_loop([job], [report])

    def _commit(self, jobs: list[_Job[Any]]) -> None:
        """Run transactions in one commit. If that fails, run each alone: one may be the reason."""
        try:
            connection = self._connected()
            transaction = connection.begin()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            # None of them is the reason, and to try each would take as long again.
            self._roll_back()
            _call_on_loop(jobs, [partial(job.fail, _shown(error)) for job in jobs])
            return
        try:
            with transaction:
                if len(jobs) > 1:
                    reports = [_in_savepoint(connection, job) for job in jobs]
                else:
                    reports = [partial(jobs[0].succeed, jobs[0].work(connection))]
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            self._roll_back()
            if len(jobs) > 1:
                for job in jobs:
                    self._commit([job])
                return
            reports = [partial(jobs[0].fail, _shown(error))]
        _call_on_loop(jobs, reports)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _roll_back(self) -> None:
        """End a transaction whose commit failed.

        SQLite may leave it open, and SQLAlchemy regards it as ended: every later one would fail. If
        it cannot be ended, the next job connects anew.
        """
        try:
            driver = self._connection.connection.driver_connection if self._connection else None
            if driver is not None and driver.in_transaction:
                driver.rollback()
        except Exception:  # noqa: BLE001 - the reason was reported already
            self._connection = None

    async def close(self) -> None:
        """Finish submitted jobs, and close the connection."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._engine.dispose()


def _in_savepoint(connection: Connection, job: _Job[Any]) -> Report:
    """Run a job so that a failure undoes its own changes only.

    Raises:
        sqlite3.Error: the driver rolled the whole transaction back.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("SAVEPOINT job")
    try:
        report = partial(job.succeed, job.work(connection))
    except BaseException as error:  # noqa: BLE001 - handed to whoever waits
        driver.execute("ROLLBACK TO job")
        report = partial(job.fail, _shown(error))
    driver.execute("RELEASE job")
    return report


def _call_on_loop(jobs: list[_Job[Any]], reports: list[Report]) -> None:
    def call_all() -> None:
        for report in reports:
            report()

    jobs[0].loop.call_soon_threadsafe(call_all)


def _shown(error: BaseException) -> BaseException:
    return as_database_error(error) if isinstance(error, DBAPIError) else error


def as_database_error(error: DBAPIError) -> DatabaseError:
    """Return a driver's error as a `DatabaseError`."""
    # An error of a rollback hides the one that led to it.
    first: BaseException | None = error
    while first is not None:
        if isinstance(first, DBAPIError):
            error = first
        first = first.__context__
    cause = str(error.orig).rstrip(".")
    failure = DatabaseError(f"The database refused: {cause}.")
    failure.__cause__ = error
    return failure
