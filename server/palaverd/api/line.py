"""One open WebSocket, and how it is closed by the daemon."""

from __future__ import annotations

import asyncio

from aiohttp import web

from palaver.clock import Clock, Timer
from palaverd.api import limits
from palaverd.api.push import Sender


class Line:
    """A WebSocket to a client, which reads what is sent sooner, later or never."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, clock: Clock
    ) -> None:
        self.socket = socket
        self.sender = Sender(socket, transport)
        self._transport = transport
        self._clock = clock
        self._writer: asyncio.Task[None] | None = None
        self._parting: Timer | None = None

    def written_by(self, writer: asyncio.Task[None]) -> None:
        """Note the task that sends frames; it is cancelled before a close frame."""
        self._writer = writer

    def part(self, code: int, why: str, *, grace_s: float | None = None) -> None:
        """Close the socket: the close frame follows what is unsent. Idempotent.

        A client that reads gets the rest of what was sent, then the code, and closes the
        connection. Whoever has not done so after `grace_s` (`PARTING_S`) is cut off. Until then
        what the client sends must be read: closing a socket with unread data makes the kernel drop
        what it has not sent.
        """
        if self._parting is not None:
            return
        if self._writer is not None:
            self._writer.cancel()
        self.sender.close(code, why)
        seconds = limits.PARTING_S if grace_s is None else grace_s
        self._parting = self._clock.call_later(seconds, self._cut)

    def end(self) -> None:
        """Stop waiting for the client: the connection has ended."""
        if self._parting is not None:
            self._parting.cancel()
            if self._transport is not None:
                self._transport.close()

    def _cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()
