"""The tasks of a session: failures are reported, and all are cancelled at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from palaver.client import PalaverError

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Tasks:
    """Runs coroutines in the background. `refused` is called with each `PalaverError`."""

    def __init__(self, refused: Callable[[PalaverError], None]) -> None:
        self._refused = refused
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start `work` and return its task."""
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
        """Cancel all tasks, and wait until they have ended."""
        tasks = [*self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def report_bug(error: Exception) -> None:
    """Pass an error of the client to the event loop's exception handler, which shows it."""
    context = {"message": "client task", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)
