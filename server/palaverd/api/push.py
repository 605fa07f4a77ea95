"""Send a frame without a task: the fast path of live output."""

from __future__ import annotations

import asyncio
from functools import lru_cache

from aiohttp import web

from palaverd.api import limits

_FIN_TEXT = 0x81  # RFC 6455, 5.2: a final fragment, opcode 1


class Sender:
    """Sends frames on one socket, if all earlier data was sent.

    It bypasses aiohttp's writer, which costs more than the write itself. That is sound since a
    whole frame is one call, and nothing else writes while a subscriber waits.
    """

    __slots__ = ("_socket", "_transport", "said")

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._socket = socket
        self._transport = transport
        self.said = 0.0  # when something was sent last, on the clock of those that send

    def push(self, payload: bytes, now: float) -> bool:
        """Send a frame at once if that does not block; return whether it did."""
        transport = self._transport
        if (
            transport is None
            or transport.get_write_buffer_size()
            or self._socket.closed
            or transport.is_closing()
            or len(payload) > limits.PROMPT_FRAME
        ):
            return False
        transport.write(text_frame(payload))
        self.said = now
        return True


@lru_cache(maxsize=1)  # one frame goes to many readers, one after the other
def text_frame(payload: bytes) -> bytes:
    """Return an unmasked WebSocket text frame, as servers send it (RFC 6455, 5.2).

    `payload` has less than 64 KiB: a longer one is not pushed.
    """
    size = len(payload)
    if size < 126:
        return bytes((_FIN_TEXT, size)) + payload
    return bytes((_FIN_TEXT, 126)) + size.to_bytes(2, "big") + payload
