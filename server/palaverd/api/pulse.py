"""Heartbeats on a WebSocket, whenever nothing else is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from palaver.clock import Clock, Timer
from palaver.wire.events import Heartbeat
from palaverd.api import limits
from palaverd.stream.live import Push

_HEARTBEAT: Final = msgspec.json.encode([Heartbeat()])


class Pulse:
    """The heartbeat of one socket.

    Live output costs it one reading of the clock: its timer checks when it is due what was sent
    meanwhile, and waits for the rest.
    """

    def __init__(self, push: Push, clock: Clock) -> None:
        self._push = push
        self._clock = clock
        self._said = clock.monotonic()
        self._timer: Timer | None = None

    def said(self) -> None:
        """Record that something is sent."""
        self._said = self._clock.monotonic()

    def push(self, frame: bytes) -> bool:
        """Send a frame at once if that does not block; return whether it did."""
        if self._push(frame):
            self._said = self._clock.monotonic()
            return True
        return False

    def beat(self) -> None:
        """Send a heartbeat, and repeat until `stop`.

        It is skipped if earlier data is still unsent.
        """
        self._push(_HEARTBEAT)
        self._said = self._clock.monotonic()
        self._timer = self._clock.call_later(limits.HEARTBEAT_S, self._due)

    def stop(self) -> None:
        """Stop the heartbeats."""
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
    """Send heartbeats on a socket within a `with` block, the first one at once."""
    pulse = Pulse(push, clock)
    pulse.beat()
    try:
        yield pulse
    finally:
        pulse.stop()
