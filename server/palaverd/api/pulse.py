"""Heartbeats: a socket on which nothing else is said says that the daemon is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from palaver.clock import Clock, Timer
from palaver.wire.events import Heartbeat
from palaverd.api import limits
from palaverd.stream.subscriber import Push

_HEARTBEAT: Final = msgspec.json.encode([Heartbeat()])


class Pulse:
    """One socket's heartbeat.

    Live output costs it a look at the clock: its one timer finds out by itself, when it is due,
    what was said meanwhile, and waits for the rest.
    """

    def __init__(self, push: Push, clock: Clock) -> None:
        self._push = push
        self._clock = clock
        self._said = clock.monotonic()
        self._timer: Timer | None = None

    def said(self) -> None:
        """Note that something is sent."""
        self._said = self._clock.monotonic()

    def push(self, frame: bytes) -> bool:
        """Send a frame at once where that cannot wait for the reader; False when it can."""
        if self._push(frame):
            self._said = self._clock.monotonic()
            return True
        return False

    def beat(self) -> None:
        """Send a heartbeat, and go on until `stop`.

        A reader that has not taken what was sent before needs none: that is still on its way.
        """
        self._push(_HEARTBEAT)
        self._said = self._clock.monotonic()
        self._timer = self._clock.call_later(limits.HEARTBEAT_S, self._due)

    def stop(self) -> None:
        """Say nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        rest = self._said + limits.HEARTBEAT_S - self._clock.monotonic()
        if rest > 0:
            self._timer = self._clock.call_later(rest, self._due)
        else:
            self.beat()


@contextmanager
def beating(push: Push, clock: Clock) -> Iterator[Pulse]:
    """Keep a socket's heartbeat going, from the first one at once to the end of a `with` block."""
    pulse = Pulse(push, clock)
    pulse.beat()
    try:
        yield pulse
    finally:
        pulse.stop()
