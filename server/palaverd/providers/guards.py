"""Timeouts of a model call: one timer per call, on the given clock."""

from __future__ import annotations

import asyncio
from types import TracebackType

from palaver.clock import Clock, Timer
from palaverd.failures.signals import Guard
from palaverd.providers.limits import CallLimits


class Guards:
    """A context manager that cancels the task when a timeout passes, and records which one.

    The task is cancelled only inside `waiting`: while the caller processes data, the silence is not
    the provider's. Cost per chunk: one reading of the clock, no timer.
    """

    def __init__(self, clock: Clock, limits: CallLimits) -> None:
        self._clock = clock
        self._limits = limits
        self._task = asyncio.current_task()
        self._timer: Timer | None = None
        self._waiting = False
        self._started = False
        self._progress = False
        now = clock.monotonic()
        self._opened = now
        self._bytes_at = now
        self._progress_at = now
        self._closing_at: float | None = None
        self.fired: Guard | None = None

    @property
    def fired_after(self) -> float | None:
        """The timeout, in seconds, of the guard that fired."""
        if self.fired is None:
            return None
        limits = self._limits
        return {"startup": limits.startup, "silence": limits.silence, "pings": limits.pings}[
            self.fired
        ]

    def __enter__(self) -> Guards:
        self._waiting = True  # for the response's head
        self._arm()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop all guards."""
        self._waiting = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def received(self) -> None:
        """Pause the guards: bytes were received and are being processed."""
        self._waiting = False

    def progressed(self) -> None:
        """Record an event that is not a ping."""
        self._progress = True

    def closing(self, *, closes: bool) -> None:
        """Start or cancel the shorter timeout for the end of the stream, after a finish word."""
        if closes != (self._closing_at is not None):
            now = self._clock.monotonic()
            self._closing_at = now + self._limits.closing if closes else None
            self._arm()

    def waiting(self) -> None:
        """Resume the guards: the call waits for bytes."""
        self._bytes_at = self._clock.monotonic()
        if self._progress:
            self._progress = False
            self._progress_at = self._bytes_at
            if not self._started:
                self._started = True
                self._arm()  # the timeout changed, perhaps to a shorter one
        self._waiting = True

    def _due(self) -> tuple[float, Guard]:
        limits = self._limits
        if self._closing_at is not None:
            return self._closing_at, "silence"
        if not self._started:
            return self._opened + limits.startup, "startup"
        silent = self._bytes_at + limits.silence
        pings = self._progress_at + limits.pings
        return (silent, "silence") if silent <= pings else (pings, "pings")

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay = self._due()[0] - self._clock.monotonic()
        self._timer = self._clock.call_later(max(0.0, delay), self._check)

    def _check(self) -> None:
        self._timer = None
        due, guard = self._due()
        if due > self._clock.monotonic():
            self._arm()
        elif not self._waiting:
            # The caller is slow, not the provider: check again later.
            self._timer = self._clock.call_later(self._limits.silence, self._check)
        elif self._task is not None:
            self.fired = guard
            self._task.cancel()
