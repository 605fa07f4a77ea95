"""Heartbeats on a WebSocket, whenever nothing else is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from palaver.clock import Clock, Timer
from palaver.wire.events import Heartbeat
from palaverd.api import limits
from palaverd.api.push import Sender

_HEARTBEAT: Final = msgspec.json.encode([Heartbeat()])


class Pulse:
    """The heartbeat of one socket.

    Live output costs it nothing: its timer checks when it is due what was sent meanwhile, and waits
    for the rest.
    """

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock
        self._timer: Timer | None = None

    def said(self) -> None:
        """Record that something is sent."""
        self._sender.said = self._clock.monotonic()

    def beat(self) -> None:
        """Send a heartbeat, and repeat until `stop`.

        It is skipped if earlier data is still unsent.
        """
        self._sender.push(_HEARTBEAT, self._clock.monotonic())
        self.said()
        self._timer = self._clock.call_later(limits.HEARTBEAT_S, self._due)

    def stop(self) -> None:
        """Stop the heartbeats."""
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        rest = self._sender.said + limits.HEARTBEAT_S - self._clock.monotonic()
        if rest > 0:
            self._timer = self._clock.call_later(rest, self._due)
        else:
            self.beat()


@contextmanager
def beating(sender: Sender, clock: Clock) -> Iterator[Pulse]:
    """Send heartbeats on a socket within a `with` block, the first one at once."""
    pulse = Pulse(sender, clock)
    pulse.beat()
    try:
        yield pulse
    finally:
        pulse.stop()
