"""The tasks of a session: each one's failure is told, and all of them end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from palaver.client import PalaverError

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Tasks:
    """Runs work that nobody waits for. `refused` is called with each `PalaverError`."""

    def __init__(self, refused: Callable[[PalaverError], None]) -> None:
        self._refused = refused
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin `work` and return its task."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, PalaverError):
            self._refused(error)
        elif isinstance(error, Exception):
            report_bug(error)

    async def cancel(self) -> None:
        """Cancel all that runs, and return when it has ended."""
        tasks = [*self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def report_bug(error: Exception) -> None:
    """Hand an error of our own to the event loop's exception handler: the client shows it."""
    context = {"message": "client task", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)
