"""Takes connections in, and keeps its head when there is no room for them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog

from palaver.clock import Clock, Timer
from palaver.wire.errors import PROBLEM_CONTENT_TYPE
from palaverd.api import limits
from palaverd.api.connections import Connection, Connections
from palaverd.api.problems import problem

log = structlog.get_logger("palaverd.api")

_NO_ROOM = msgspec.json.encode(
    problem(
        503,
        "too_many_connections",
        "The daemon has as many connections as it can have, and all of them work. "
        "Close some clients, and try again.",
    )
)
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Content-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
    % (PROBLEM_CONTENT_TYPE.encode(), len(_NO_ROOM), _NO_ROOM)
)


class Listener:
    """Accepts on a listening socket that it owns, until `close`.

    asyncio's own way of accepting goes wild when the process runs out of file descriptors: each
    failure plans many more, each with a traceback.
    """

    def __init__(
        self,
        listening: socket.socket,
        connections: Connections,
        make: Callable[[], Connection],
        clock: Clock,
    ) -> None:
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

    def close(self) -> None:
        """Take no more connections; those that are there stay."""
        if self._paused is not None:
            self._paused.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _accept(self) -> None:
        """Take some of the connections that wait, and leave the others their turn."""
        for _ in range(limits.ACCEPTED_AT_ONCE):
            try:
                accepted, _address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._failed(error)
                return
            full = len(self._connections) + len(self._beginning) >= self._connections.most
            if full and not self._connections.make_room():
                _refuse(accepted)
                continue
            beginning = self._loop.create_task(self._begin(accepted))
            self._beginning.add(beginning)
            beginning.add_done_callback(self._beginning.discard)

    async def _begin(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(self._make, accepted)
        except OSError as error:
            accepted.close()
            log.warning("no connection taken", error=error.strerror)

    def _failed(self, error: OSError) -> None:
        """Make room for the next try, or wait a while: descriptors or memory are short."""
        log.warning("no connection taken", error=error.strerror, open=len(self._connections))
        if not self._connections.make_room():
            self._loop.remove_reader(self._socket)
            self._paused = self._clock.call_later(limits.ACCEPT_PAUSE_S, self._go_on)

    def _go_on(self) -> None:
        self._paused = None
        self._loop.add_reader(self._socket, self._accept)


def _refuse(accepted: socket.socket) -> None:
    log.warning("connection refused: all that may be are at work")
    with accepted, suppress(OSError):  # a client that is gone already needs no answer
        accepted.setblocking(False)
        accepted.send(_REFUSAL)
