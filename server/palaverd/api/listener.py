"""Accept connections, also when descriptors or connections run out."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog

from palaver.clock import Clock, Timer
from palaver.wire.errors import PROBLEM_CONTENT_TYPE
from palaverd.api import limits
from palaverd.api.connections import Connection, Connections
from palaverd.api.entrance import Entrance
from palaverd.api.problems import problem
from palaverd.platform.peers import peer_of

log = structlog.get_logger("palaverd.api")

_TLS_HANDSHAKE = b"\x16"  # the type of the first record of a client (RFC 8446, 5.1)


def _answer(status: int, reason: str, code: str, detail: str) -> bytes:
    body = msgspec.json.encode(problem(status, code, detail))
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: {PROBLEM_CONTENT_TYPE}\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


_NO_ROOM = _answer(
    503,
    "Service Unavailable",
    "too_many_connections",
    "The daemon has as many connections as it can have, and all of them work. "
    "Close some clients, and try again.",
)
_NO_TLS = _answer(
    400, "Bad Request", "tls_wanted", "TLS is spoken on this port: use https:// instead of http://."
)


class Listener:
    """Accepts on a bound socket that it owns, until `close`. With `tls` connections are encrypted.

    asyncio's own accept loop fails badly when the process runs out of file descriptors: each
    failure schedules many more, each with a traceback.

    Raises:
        OSError: another process has listened there since it was bound.
    """

    def __init__(
        self,
        listening: socket.socket,
        connections: Connections,
        make: Callable[[Entrance], Connection],
        clock: Clock,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.tls = tls  # may be replaced; applies to the next connection
        self._socket = listening
        self._connections = connections
        self._make = make
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[None]] = set()
        self._paused: Timer | None = None
        listening.setblocking(False)
        listening.listen(limits.BACKLOG)
        self._loop.add_reader(listening, self._accept)

    async def ended(self) -> None:
        """Wait for connections in setup, after they have been cut off."""
        if self._beginning:
            await asyncio.wait(self._beginning)

    def close(self) -> None:
        """Stop accepting; existing connections stay."""
        if self._paused is not None:
            self._paused.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _accept(self) -> None:
        """Accept some of the waiting connections; the others wait for the next turn."""
        for _ in range(limits.ACCEPTED_AT_ONCE):
            try:
                accepted, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._failed(error)
                return
            accepted.setblocking(False)
            full = len(self._connections) >= self._connections.most
            if full and not self._connections.make_room():
                log.warning("connection refused: all that may be are at work")
                # A client that expects TLS could not read it.
                _say_and_close(accepted, b"" if self.tls else _NO_ROOM)
                continue
            connection = self._make(self._entrance(accepted, address))
            connection.begin(accepted)
            beginning = self._loop.create_task(self._begin(accepted, connection))
            self._beginning.add(beginning)
            beginning.add_done_callback(self._beginning.discard)

    def _entrance(self, accepted: socket.socket, address: object) -> Entrance:
        if isinstance(address, tuple):
            return Entrance("tcp", self.tls is not None, str(address[0]))
        peer = peer_of(accepted)
        return Entrance("unix", user=None if peer is None else peer.user)

    async def _begin(self, accepted: socket.socket, connection: Connection) -> None:
        """Set up the connection, with a handshake if TLS is used.

        `Connections` limits the time, and cuts it off.
        """
        tls = self.tls
        try:
            if tls is not None and not await self._speaks_tls(accepted):
                _say_and_close(accepted, _NO_TLS)
                return
            await self._loop.connect_accepted_socket(lambda: connection, accepted, ssl=tls)
        except (OSError, ValueError) as error:
            # ssl.SSLError is an OSError; an invalid server name is a ValueError.
            if tls is None:
                log.warning("no connection taken", error=_said(error))
            else:
                log.debug("handshake failed", error=_said(error), peer=connection.entrance.peer)
        finally:
            connection.begun()

    async def _speaks_tls(self, accepted: socket.socket) -> bool:
        """Wait for the first byte, and peek at it."""
        ready = asyncio.Event()
        self._loop.add_reader(accepted, ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_reader(accepted)
        return accepted.recv(1, socket.MSG_PEEK) in {_TLS_HANDSHAKE, b""}

    def _failed(self, error: OSError) -> None:
        """Make room for the next attempt, or pause: descriptors or memory are short."""
        log.warning("no connection taken", error=error.strerror, open=len(self._connections))
        if not self._connections.make_room():
            self._loop.remove_reader(self._socket)
            self._paused = self._clock.call_later(limits.ACCEPT_PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        self._paused = None
        self._loop.add_reader(self._socket, self._accept)


def _said(error: OSError | ValueError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return str(getattr(error, "strerror", None) or error) or "the client left"


def _say_and_close(accepted: socket.socket, answer: bytes) -> None:
    with accepted, suppress(OSError):  # the client may be gone already
        accepted.send(answer)
        # Closing with unread data would discard the response.
        accepted.shutdown(socket.SHUT_WR)
        accepted.recv(limits.INCOMING_FRAME_LIMIT)
