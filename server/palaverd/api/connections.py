"""The connections of the daemon: how many there may be, and how long each may be silent."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler, RequestPayloadError

from palaver.clock import Clock, Timer
from palaverd.api import limits
from palaverd.api.entrance import Entrance
from palaverd.api.problems import Handler, problem, respond, sentence

log = structlog.get_logger("palaverd.api")

# What aiohttp quotes stands behind its words as bytes, mostly on lines of their own.
_QUOTED = re.compile(r"""[:"']?\s*(?:\n|\bb['"])""")


class Connections:
    """Every open connection. One works while a request is handled, else it waits for one.

    A connection that waits too long is closed. When there are as many as may be, the one that
    has waited longest makes room: connections that say nothing never keep out those that do.
    """

    def __init__(self, clock: Clock, most: int) -> None:
        self.most = most
        self._clock = clock
        self._waiting: dict[
            Connection, Timer | None
        ] = {}  # the one that has waited longest is first
        self._working: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._working)

    @property
    def working(self) -> int:
        """How many have a request that is being handled."""
        return len(self._working)

    @property
    def unsent(self) -> int:
        """Bytes of answers that clients did not take yet."""
        return sum(one.unsent for one in (*self._waiting, *self._working))

    def make_room(self) -> bool:
        """Close the connection that has waited longest; False when all of them work."""
        connection = next(iter(self._waiting), None)
        if connection is None:
            return False
        self.remove(connection)
        connection.cut()
        return True

    def add(self, connection: Connection) -> None:
        """Take in a new connection: it is to say what it wants.

        With TLS that is after a handshake, which is to be over in the same time.
        """
        self._wait(connection, limits.HEAD_S)

    def cut_all(self) -> None:
        """Close every connection at once, also those whose peer does not say goodbye."""
        for connection in (*self._waiting, *self._working):
            self.remove(connection)
            connection.cut()

    def remove(self, connection: Connection) -> None:
        """Forget a connection."""
        self._working.discard(connection)
        timer = self._waiting.pop(connection, None)
        if timer is not None:
            timer.cancel()

    @contextmanager
    def works(self, connection: Connection) -> Iterator[None]:
        """Note that a request of this connection is handled, for the length of a `with` block."""
        self._begin_work(connection)
        try:
            yield
        finally:
            if connection in self._working:
                self._working.discard(connection)
                self._wait(connection, limits.IDLE_S)

    @contextmanager
    def waits_for_body(self, connection: Connection) -> Iterator[None]:
        """Note that the body did not come yet, for the length of a `with` block in `works`.

        Whoever reads the body has a deadline for it.
        """
        if connection in self._working:
            self._working.discard(connection)
            self._waiting[connection] = None
        try:
            yield
        finally:
            self._begin_work(connection)

    def _begin_work(self, connection: Connection) -> None:
        if connection in self._waiting:  # else it was closed meanwhile
            self.remove(connection)
            self._working.add(connection)

    def _wait(self, connection: Connection, seconds: float, before: float = inf) -> None:
        """Cut the connection off in so many seconds, unless it takes a long answer slowly.

        `before` is how much of it was unsent when that was last looked at.
        """

        def late() -> None:
            self._waiting.pop(connection, None)
            unsent = connection.unsent
            if 0 < unsent < before:
                self._wait(connection, seconds, unsent)
            else:
                connection.cut()

        self._waiting[connection] = self._clock.call_later(seconds, late)


class Connection(RequestHandler):
    """One connection as aiohttp serves it, known to `Connections` from its accepting on.

    What a client says wrongly below our routes is answered with problem details, and is no
    failure of ours: it is logged as a line at the level of debugging, not as a traceback.
    """

    __slots__ = ("_accepted", "_connections", "_wire", "entrance")

    def __init__(
        self, connections: Connections, server: web.Server, entrance: Entrance, **how: Any
    ) -> None:
        super().__init__(server, **how)
        self.entrance = entrance
        self._connections = connections
        self._wire: asyncio.Transport | None = None
        self._accepted: socket.socket | None = None

    def begin(self, accepted: socket.socket) -> None:
        """Be taken in, with a socket on which nothing can be said yet."""
        self._accepted = accepted
        self._connections.add(self)

    def begun(self) -> None:
        """Note that the beginning is over: there is a connection to speak on, or there is none."""
        if self._wire is None and self._accepted is not None:
            self._connections.remove(self)
            self._accepted.close()
        self._accepted = None

    @property
    def unsent(self) -> int:
        """Bytes of an answer that the client did not take yet."""
        return 0 if self._wire is None else self._wire.get_write_buffer_size()

    def cut(self) -> None:
        """Close the connection at once."""
        if self._wire is not None:
            self._wire.abort()
        elif self._accepted is not None:
            with suppress(OSError):  # its peer may be gone
                self._accepted.shutdown(socket.SHUT_RDWR)  # which ends its beginning

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve."""
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        self._accepted = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._connections.remove(self)
        self._wire = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request; anything else is aiohttp's to answer."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        said = _unquoted(message or "")
        log.debug("not a request", said=said)
        detail = f"This is no request: {sentence(said)}"
        refusal = respond(problem(400, "bad_request", detail))
        refusal.force_close()
        return refusal

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log what nobody foresaw; a body that is broken is the client's."""
        if isinstance(kw.get("exc_info"), RequestPayloadError):
            log.debug("broken body", error=_unquoted(str(kw["exc_info"])))
        else:
            super().log_exception(*args, **kw)


def _unquoted(message: str) -> str:
    """Return what aiohttp says of bytes that it cannot read, without them: one may be a token."""
    said = _QUOTED.split(message, maxsplit=1)[0]
    return "unreadable" if not said or "://" in said else said


def connection_of(request: web.Request) -> Connection:
    """Return the connection that a request came by."""
    connection = request.protocol
    assert isinstance(connection, Connection)
    return connection


CONNECTIONS = web.AppKey("connections", Connections)


@web.middleware
async def connection_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note that this connection works."""
    with request.app[CONNECTIONS].works(connection_of(request)):
        return await handler(request)
