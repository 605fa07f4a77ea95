"""The clock: every wait and every date uses a `Clock` that is passed in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
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


class deadline:  # noqa: N801 - used like `asyncio.timeout`
    """A timeout like `asyncio.timeout`, on a `Clock`: `async with deadline(clock, seconds):`.

    It uses an `asyncio.Timeout`, so that asyncio counts the task's cancellations, also where a
    library in the body converts a cancellation into another error.

    Raises:
        TimeoutError: the body took longer than `seconds`.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)
        self._timer: Timer | None = None

    async def __aenter__(self) -> None:
        """Start it."""
        await self._timeout.__aenter__()
        self._timer = self._clock.call_later(self._seconds, self._expire)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        assert self._timer is not None
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, traceback)

    def _expire(self) -> None:
        self._timeout.reschedule(0)


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
