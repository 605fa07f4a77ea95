"""Send a frame without a task: the fast path of live output."""

from __future__ import annotations

import asyncio
from struct import Struct

from aiohttp import web

from palaverd.api import limits

# RFC 6455, 5.2: a final fragment, and its opcode
_FIN_TEXT = 0x81
_FIN_CLOSE = 0x88
_PING = b"\x89\x00"
_FIN_PONG = 0x8A
# The header of a text: its length is in the second byte, or in two more after 126.
_SHORT, _LONG = Struct("!BB").pack, Struct("!BBH").pack


class Sender:
    """Sends frames on one socket, if all earlier data was sent.

    It bypasses aiohttp's writer, which costs more than the write itself. That is sound since a
    whole frame is one call, and nothing else writes while a subscriber waits.
    """

    __slots__ = ("_pongs", "_socket", "_transport", "closed", "said", "sent")

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._socket = socket
        self._transport = transport
        self.said = 0.0  # when something was sent last, on the clock of those that send
        self.sent = 0  # bytes of all frames, without their headers
        self.closed = False  # the close frame was sent
        self._pongs = 0  # that may be unsent

    def push(self, payload: bytes, now: float) -> bool:
        """Send a frame at once if that does not block; return whether it did."""
        transport = self._transport
        if (
            transport is None
            or transport.get_write_buffer_size()
            or self.closed
            or self._socket.closed
            or transport.is_closing()
            or len(payload) > limits.PROMPT_FRAME
        ):
            return False
        transport.write(text_frame(payload))
        self.sent += len(payload)
        self.said = now
        return True

    def ping(self) -> None:
        """Ask the client for a sign of life, if all earlier data was sent."""
        transport = self._transport
        if (
            transport is not None
            and not unsent_of(transport)
            and not (self.closed or self._socket.closed or transport.is_closing())
        ):
            transport.write(_PING)

    def pong(self, payload: bytes) -> None:
        """Answer a ping. A client that sends many and reads nothing gets `PONGS` answers.

        aiohttp's would wait for the client, in a wait that it shares with the task that writes:
        whichever is cancelled cancels the other.
        """
        transport = self._transport
        if transport is None or self.closed or self._socket.closed or transport.is_closing():
            return
        self._pongs = self._pongs + 1 if unsent_of(transport) else 1
        if self._pongs <= limits.PONGS:
            transport.write(bytes((_FIN_PONG, len(payload))) + payload)

    def close(self, code: int, why: str) -> None:
        """Send the close frame, behind what is still unsent. Nothing is sent after it.

        `why` has less than 124 bytes of UTF-8 (RFC 6455, 5.5).
        """
        if self.closed or self._socket.closed:
            return
        self.closed = True
        if self._transport is not None and not self._transport.is_closing():
            payload = code.to_bytes(2, "big") + why.encode()
            self._transport.write(bytes((_FIN_CLOSE, len(payload))) + payload)

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return 0 if self._transport is None else unsent_of(self._transport)


def unsent_of(transport: asyncio.Transport) -> int:
    """Return the bytes that were written to a transport and not taken by the kernel yet.

    With TLS, asyncio counts only what is not encrypted yet; what is waits in the transport below,
    of which its public interface knows nothing.
    """
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    unsent = transport.get_write_buffer_size()
    return unsent if below is None else unsent + int(below.get_write_buffer_size())


def text_frame(payload: bytes) -> bytes:
    """Return an unmasked WebSocket text frame, as servers send it (RFC 6455, 5.2).

    `payload` has less than 64 KiB: a longer one is not pushed.
    """
    size = len(payload)
    if size < 126:
        return _SHORT(_FIN_TEXT, size) + payload
    return _LONG(_FIN_TEXT, 126, size) + payload
