"""A clock that a test advances, and waiting for a condition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

# Timeout of a test's waits, in seconds; a test of a timeout may shorten it.
PATIENCE_S = 30.0
START = datetime(2025, 1, 1, tzinfo=UTC)


class _Timer:
    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """Stands still until `advance`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._timers: list[_Timer] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self._now)

    def monotonic(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[], None]) -> _Timer:
        timer = _Timer(self._now + delay, callback)
        self._timers.append(timer)
        return timer

    async def sleep(self, delay: float) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def due() -> None:
            if not waiter.done():
                waiter.set_result(None)

        timer = self.call_later(delay, due)
        try:
            await waiter
        finally:
            timer.cancel()

    def waits(self) -> list[float]:
        """Return the remaining time of each pending timer, shortest first."""
        return sorted(timer.when - self._now for timer in self._timers if timer.callback)

    def advance(self, seconds: float) -> None:
        """Advance the time, and run due timers."""
        self._now += seconds
        due = [timer for timer in self._timers if timer.when <= self._now]
        self._timers = [timer for timer in self._timers if timer.when > self._now]
        for timer in sorted(due, key=lambda timer: timer.when):
            if timer.callback is not None:
                timer.callback()


async def until(condition: Callable[[], object]) -> None:
    """Let other tasks run until `condition` holds; fail after `PATIENCE_S`."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            # Lets the selector run too, so that sockets make progress.
            await asyncio.sleep(0.001)


async def result_of(task: asyncio.Task[T], clock: ManualClock, step_s: float) -> T:
    """Advance a clock step by step until a task is done, and return its result.

    Fails after `PATIENCE_S`.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not task.done():
            clock.advance(step_s)
            await asyncio.sleep(0.001)
    return await task
