"""The daemon's connections: their limit, and their timeouts."""

from __future__ import annotations

import asyncio
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
from palaverd.api.malformed import problem_of_malformed, unquoted
from palaverd.api.problems import Handler, headers_of, internal, problem, problem_of, respond
from palaverd.api.push import unsent_of

log = structlog.get_logger("palaverd.api")


class Connections:
    """All open connections. One is working while a request is handled, else waiting for one.

    A connection that waits too long is closed. At the limit, the one that has waited longest is
    closed: idle connections never keep out active ones.
    """

    def __init__(self, clock: Clock, most: int) -> None:
        self.most = most
        self._clock = clock
        # In order of their waiting time, longest first.
        self._waiting: dict[Connection, Timer | None] = {}
        self._working: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._working)

    @property
    def working(self) -> int:
        """The number of connections with a request in progress."""
        return len(self._working)

    @property
    def unsent(self) -> int:
        """Bytes of responses that clients have not received yet."""
        return sum(one.unsent for one in (*self._waiting, *self._working))

    def make_room(self) -> bool:
        """Close the connection that has waited longest; return False if all are working."""
        connection = next(iter(self._waiting), None)
        if connection is None:
            return False
        self.remove(connection)
        connection.cut()
        return True

    def add(self, connection: Connection) -> None:
        """Add a new connection, which must send a request in time.

        With TLS the handshake is included in that time.
        """
        self._wait(connection, limits.HEAD_S)

    def cut_all(self) -> None:
        """Close every connection at once, without waiting for its peer."""
        for connection in (*self._waiting, *self._working):
            self.remove(connection)
            connection.cut()

    def remove(self, connection: Connection) -> None:
        """Remove a connection."""
        self._working.discard(connection)
        timer = self._waiting.pop(connection, None)
        if timer is not None:
            timer.cancel()

    @contextmanager
    def works(self, connection: Connection) -> Iterator[None]:
        """Mark the connection as working within a `with` block."""
        self._begin_work(connection)
        try:
            yield
        finally:
            if connection in self._working:
                self._working.discard(connection)
                self._wait(connection, limits.IDLE_S)

    @contextmanager
    def waits_for_body(self, connection: Connection) -> Iterator[None]:
        """Mark the connection as waiting within a `with` block in `works`.

        The reader of the body has a deadline of its own.
        """
        if connection in self._working:
            self._working.discard(connection)
            self._waiting[connection] = None
        try:
            yield
        finally:
            self._begin_work(connection)

    def _begin_work(self, connection: Connection) -> None:
        if connection in self._waiting:  # otherwise it was closed meanwhile
            self.remove(connection)
            self._working.add(connection)

    def _wait(self, connection: Connection, seconds: float, before: float = inf) -> None:
        """Close the connection in `seconds`, unless it makes progress with a long response.

        `before` is how many bytes of it were unsent at the last check.
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
    """One connection of aiohttp's server, registered in `Connections` from its accept on.

    Malformed requests get problem details, and are logged as a line at debug level, not as a
    traceback.
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
        """Register the connection, with an accepted socket that is not ready yet."""
        self._accepted = accepted
        self._connections.add(self)

    def begun(self) -> None:
        """End the setup: close the socket unless the connection was made."""
        if self._wire is None and self._accepted is not None:
            self._connections.remove(self)
            self._accepted.close()
        self._accepted = None

    @property
    def unsent(self) -> int:
        """Bytes of a response that the client has not received yet."""
        return 0 if self._wire is None else unsent_of(self._wire)

    def cut(self) -> None:
        """Close the connection at once."""
        if self._wire is not None:
            self._wire.abort()
        elif self._accepted is not None:
            with suppress(OSError):  # its peer may be gone
                self._accepted.shutdown(socket.SHUT_RDWR)  # ends the setup

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start serving."""
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        self._accepted = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """Remove the connection."""
        self._connections.remove(self)
        self._wire = None
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send a response: a refusal that never came to the middlewares with problem details."""
        if isinstance(resp, web.HTTPException) and (known := problem_of(resp)) is not None:
            resp = respond(known, headers_of(resp))
        return await super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return problem details; log anything but a malformed request as aiohttp does."""
        if isinstance(exc, HttpProcessingError):
            log.debug("not a request", said=unquoted(exc.message))
            refusal = respond(problem_of_malformed(exc))
        elif isinstance(
            exc, UnicodeEncodeError
        ):  # it quotes what it refuses, and cannot write this
            refusal = respond(problem(400, "bad_request", "A header is not UTF-8."))
        else:
            super().handle_error(request, status, exc, message)
            refusal = respond(internal())
        refusal.force_close()
        return refusal

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log an unexpected error; a broken body is the client's fault."""
        if isinstance(kw.get("exc_info"), RequestPayloadError):
            log.debug("broken body", error=unquoted(str(kw["exc_info"])))
        else:
            super().log_exception(*args, **kw)


def connection_of(request: web.Request) -> Connection:
    """Return the connection of a request."""
    connection = request.protocol
    assert isinstance(connection, Connection)
    return connection


CONNECTIONS = web.AppKey("connections", Connections)


@web.middleware
async def connection_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Mark the connection as working."""
    with request.app[CONNECTIONS].works(connection_of(request)):
        return await handler(request)
