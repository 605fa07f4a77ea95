"""A WebSocket that detects a dead connection by missing heartbeats."""

from __future__ import annotations

from typing import Any

import aiohttp

from palaver.client.limits import SILENCE_S
from palaver.clock import Clock, Timer


class WebSocket(aiohttp.ClientWebSocketResponse[bool]):
    """Closes the connection after a silence, once the daemon is known to send heartbeats.

    Bytes count, not whole frames: a long message may take longer than `SILENCE_S` on a slow line,
    and heartbeats wait behind it. aiohttp has both the signal and the way to fail a socket whose
    peer is gone, for its own pings, but not in its public API.
    """

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self._clock: Clock | None = None
        self.heard_at = 0.0
        self._asked: float | None = None  # when the current `frame` call began
        self._timer: Timer | None = None
        self.silent_for = 0.0  # seconds without a byte when it was closed for silence

    def begin(self, clock: Clock) -> None:
        """Set the clock."""
        self._clock = clock
        self.heard_at = clock.monotonic()

    async def frame(self) -> bytes | None:
        """Return the next frame; None after the end of the connection."""
        assert self._clock is not None
        self._asked = self._clock.monotonic()
        message = await self.receive()
        self._asked = None
        if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
            data: bytes = message.data
            return data
        return None

    def expect_heartbeats(self) -> None:
        """Close after `SILENCE_S` without a byte, from now on. Idempotent."""
        if self._timer is None and self._clock is not None:
            self._timer = self._clock.call_later(SILENCE_S, self._look)

    def _look(self) -> None:
        assert self._clock is not None
        if self.closed:
            return
        now = self._clock.monotonic()
        # While the reader processes a frame nothing is read: that is no silence.
        silent = 0.0 if self._asked is None else now - max(self.heard_at, self._asked)
        if silent < SILENCE_S:
            self._timer = self._clock.call_later(SILENCE_S - silent, self._look)
            return
        self.silent_for = silent
        self._handle_ping_pong_exception(aiohttp.ServerTimeoutError())

    def _on_data_received(self) -> None:
        if self._clock is not None:
            self.heard_at = self._clock.monotonic()
        super()._on_data_received()

    def _set_closed(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super()._set_closed()
