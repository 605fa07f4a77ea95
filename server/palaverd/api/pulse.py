"""Heartbeats and pings on a WebSocket, and the end of those that no longer read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from palaver.clock import Clock, Timer
from palaver.wire.events import Heartbeat
from palaverd.api import limits
from palaverd.api.attention import Attention
from palaverd.api.line import Line

_HEARTBEAT: Final = msgspec.json.encode([Heartbeat()])


class Pulse:
    """The heartbeat of one socket, and whether its client reads.

    Live output costs it nothing: its timer checks when it is due what was sent meanwhile, and waits
    for the rest. So it looks at least every `HEARTBEAT_S`.
    """

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line = line
        self._sender = line.sender
        self._clock = clock
        self._timer: Timer | None = None
        self._attention = Attention(clock.monotonic())

    def said(self, size: int) -> None:
        """Record that a frame of `size` bytes is sent."""
        self._sender.said = self._clock.monotonic()
        self._sender.sent += size

    def heard(self) -> None:
        """Record that the client has sent something."""
        self._attention.heard()

    def beat(self) -> None:
        """Send a heartbeat, and repeat until `stop`.

        It is skipped if earlier data is still unsent.
        """
        self._sender.push(_HEARTBEAT, self._clock.monotonic())
        self.said(0)
        self._timer = self._clock.call_later(limits.HEARTBEAT_S, self._due)

    def stop(self) -> None:
        """Stop the heartbeats."""
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        now = self._clock.monotonic()
        if self._attention.is_over(self._sender.sent, self._sender.unsent, now):
            self._line.part(limits.CLOSE_NOT_READ, "nothing was read; connect again")
            return
        if self._attention.silent >= limits.PING_S:
            self._sender.ping()
        rest = self._sender.said + limits.HEARTBEAT_S - now
        if rest > 0:
            self._timer = self._clock.call_later(rest, self._due)
        else:
            self.beat()


@contextmanager
def beating(line: Line, clock: Clock) -> Iterator[Pulse]:
    """Send heartbeats on a socket within a `with` block, the first one at once."""
    pulse = Pulse(line, clock)
    pulse.beat()
    try:
        yield pulse
    finally:
        pulse.stop()
