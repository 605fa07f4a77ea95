"""The clock: every wait and every date uses a `Clock` that is passed in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """A callback that has not run yet."""

    def cancel(self) -> None:
        """Cancel the callback. Does nothing if it has run."""


class Clock(Protocol):
    """The current time and timers. Tests pass one that they advance themselves."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary point; never decreases."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the event loop in `delay` seconds."""

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds."""


class SystemClock:
    """The system's clocks and the running event loop's timers."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since an arbitrary point; never decreases."""
        return time.monotonic()

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the event loop in `delay` seconds."""
        return asyncio.get_running_loop().call_later(delay, callback)

    async def sleep(self, delay: float) -> None:
        """Wait `delay` seconds."""
        await asyncio.sleep(delay)


@asynccontextmanager
async def deadline(clock: Clock, seconds: float) -> AsyncIterator[None]:
    """Return a timeout like `asyncio.timeout`, on a `Clock`.

    It is an `asyncio.Timeout`, so that asyncio counts the task's cancellations, also where a
    library in the body converts a cancellation into another error.

    Raises:
        TimeoutError: the body took longer than `seconds`.
    """
    async with asyncio.timeout(None) as timeout:
        timer = clock.call_later(seconds, lambda: timeout.reschedule(0))
        try:
            yield
        finally:
            timer.cancel()


async def wait_until(
    condition: Callable[[], bool], woken: asyncio.Event, clock: Clock, seconds: float
) -> bool:
    """Wait until `condition` holds, at most `seconds`; return whether it holds.

    It is checked each time `woken` is set; `woken` is cleared for that.
    """
    try:
        async with deadline(clock, seconds):
            while not condition():
                woken.clear()
                await woken.wait()
            return True
    except TimeoutError:
        return condition()
