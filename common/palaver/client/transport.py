"""HTTP and WebSocket transport to one daemon, with failures as our own errors."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import BinaryIO, Final, TypeVar
from weakref import WeakKeyDictionary

import aiohttp
import msgspec

from palaver import __version__
from palaver.client.connector import connector_of, trusted_by
from palaver.client.endpoint import Endpoint
from palaver.client.errors import PalaverError, Refused, Unauthenticated, Unreachable
from palaver.client.limits import CLOSE_S, CONNECT_S, MAX_FRAME, MIB_S, PING_S, REQUEST_S
from palaver.client.proxies import Proxy, proxy_for
from palaver.client.reasons import reason
from palaver.client.websocket import WebSocket
from palaver.clock import Clock, deadline
from palaver.wire import decode
from palaver.wire.errors import PROBLEM_CONTENT_TYPE, Problem

T = TypeVar("T")
_PIECE: Final = 64 * 1024  # bytes of a long response at a time
# Parameters of an address; a name may be there several times.
Query = Mapping[str, str] | Sequence[tuple[str, str]]
Redirect = aiohttp.TraceRequestRedirectParams
_log = logging.getLogger("palaver.client")


class HandshakeRefused(Exception):
    """The WebSocket handshake got an HTTP status; aiohttp does not keep the body."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status


class Transport:
    """Requests over one aiohttp session, which is opened on first use in the running event loop."""

    def __init__(self, endpoint: Endpoint, clock: Clock) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._trusting: ssl.SSLContext | None = None
        self._proxy: Proxy | None = None
        self._sessions: WeakKeyDictionary[WebSocket, aiohttp.ClientSession] = WeakKeyDictionary()

    async def close(self) -> None:
        """Close all connections. Idempotent."""
        if self._session is not None:
            await self._session.close()

    async def abandon(self, socket: WebSocket) -> None:
        """Close all connections of the session of a WebSocket that fell silent.

        They share its network path: a request on one of them would wait for its whole timeout.
        """
        session = self._sessions.get(socket)
        if session is not None and session is self._session:
            self._session = None
            await session.close()

    async def request(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        query: Query = (),
        body: msgspec.Struct | BinaryIO | None = None,
        key: str | None = None,
    ) -> T:
        """Send one request and decode its response; `key` is sent as the Idempotency-Key header.

        A file as `body` is sent from its beginning, as it is.

        Raises:
            Refused: the daemon responded with problem details.
            Unreachable: no response arrived.
            PalaverError: the response is not Palaver's.
        """
        status, data = await self.exchange(method, path, query=query, body=body, key=key)
        try:
            decoded = decode.answer(data, answer)
        except decode.MalformedError as error:
            raise self._foreign(status) from error
        if decoded.skipped:
            _log.info("%s %s: not understood: %s", method, path, ", ".join(decoded.skipped))
        return decoded.value

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: msgspec.Struct | BinaryIO | None = None,
        key: str | None = None,
    ) -> tuple[int, bytes]:
        """Send one request; return status (below 300) and body. Raises like `request`."""
        headers = self._credentials()
        seconds = REQUEST_S
        content: bytes | BinaryIO | None = None
        if isinstance(body, msgspec.Struct):
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(body)
        elif body is not None:
            headers["Content-Type"] = "application/octet-stream"
            content = body
            seconds += MIB_S * (body.seek(0, os.SEEK_END) / 2**20)
            body.seek(0)
        if key is not None:
            headers["Idempotency-Key"] = key
        with self._failures_named(seconds):
            async with (
                deadline(self._clock, seconds),
                await self._respond(method, path, query, headers, content) as response,
            ):
                data = await response.read()
                status, content_type = response.status, response.content_type
        if status >= 300:
            raise self._refusal(status, content_type, data)
        return status, data

    async def receive(self, path: str, query: Query) -> AsyncGenerator[bytes]:
        """Request a long response; yield it in pieces of at most 64 KiB. Raises like `request`."""
        with self._failures_named(REQUEST_S):
            async with deadline(self._clock, REQUEST_S):
                headers = self._credentials()
                context = await self._respond("GET", path, query, headers, None)
                response = await context.__aenter__()
            try:
                if response.status >= 300:
                    async with deadline(self._clock, REQUEST_S):
                        data = await response.read()
                    raise self._refusal(response.status, response.content_type, data)
                while True:
                    async with deadline(self._clock, REQUEST_S):
                        piece = await response.content.read(_PIECE)
                    if not piece:
                        return
                    yield piece
            finally:
                # Without the rest of the response the connection is of no use.
                response.close()

    async def _respond(
        self,
        method: str,
        path: str,
        query: Query,
        headers: Mapping[str, str],
        content: bytes | BinaryIO | None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        session = await self._open_session()
        return session.request(
            method,
            self._endpoint.base + path,
            params=query,
            data=content,
            headers=headers,
            allow_redirects=False,
            proxy_headers=self._proxy.headers if self._proxy else None,
        )

    @contextmanager
    def _failures_named(self, seconds: float) -> Iterator[None]:
        """Raise `Unreachable` for the failures of a request or handshake of at most `seconds`."""
        try:
            yield
        except aiohttp.ClientError as error:
            raise self._unreachable(error) from error
        except TimeoutError as error:
            raise Unreachable(self._endpoint, f"no answer in {seconds:g} s") from error
        except OSError as error:
            raise self._unreachable(error) from error

    async def open_socket(self, path: str, query: Query) -> WebSocket:
        """Open a WebSocket whose text frames are received as bytes.

        Raises:
            HandshakeRefused: the daemon responded with a status.
            Unreachable: no response arrived.
        """
        with self._failures_named(REQUEST_S):
            async with deadline(self._clock, REQUEST_S):
                session = await self._open_session()
                try:
                    socket = await session.ws_connect(
                        self._endpoint.base + path,
                        params=query,
                        headers=self._credentials(),
                        proxy_headers=self._proxy.headers if self._proxy else None,
                        heartbeat=PING_S,
                        max_msg_size=MAX_FRAME,
                        timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                        decode_text=False,
                    )
                except aiohttp.WSServerHandshakeError as error:
                    raise HandshakeRefused(error.status) from error
            assert isinstance(socket, WebSocket)
            socket.begin(self._clock)
            self._sessions[socket] = session
            return socket

    async def _open_session(self) -> aiohttp.ClientSession:
        ca_file = self._endpoint.ca_file
        if self._trusting is None and (ca_file is not None or self._is_encrypted):
            self._trusting = await asyncio.to_thread(trusted_by, ca_file)  # reads files
        if self._session is None:
            proxy = self._proxy = proxy_for(self._endpoint)
            self._session = aiohttp.ClientSession(
                proxy=proxy.url if proxy else None,
                trace_configs=[_not_redirected()],
                connector=connector_of(self._endpoint, self._trusting, self._clock),
                headers={"User-Agent": f"palaver/{__version__}"},
                cookie_jar=aiohttp.DummyCookieJar(),
                ws_response_class=WebSocket,  # type: ignore[arg-type]
                # Requests have a deadline on our clock; WebSockets have none.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            )
        return self._session

    def _credentials(self) -> dict[str, str]:
        """Return the authorization header, per request: a session's headers go to proxies, too."""
        token = self._endpoint.token
        return {} if token is None else {"Authorization": f"Bearer {token}"}

    def _unreachable(self, error: Exception) -> Unreachable:
        why = reason(error)
        if self._is_plain and isinstance(error, aiohttp.ServerDisconnectedError):
            # A TLS server closes a connection that does not begin with a handshake.
            why = f"{why}; if it speaks TLS, its address begins with https://"
        # Both are raised before there is a connection.
        unconnected = isinstance(
            error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError
        )
        return Unreachable(self._endpoint, why, never_sent=unconnected)

    @property
    def _is_plain(self) -> bool:
        """Whether requests go over TCP without encryption, by the URL."""
        return self._over_tcp and not self._is_encrypted

    @property
    def _is_encrypted(self) -> bool:
        """Whether requests go over TCP with TLS, by the URL."""
        return self._over_tcp and self._endpoint.base.startswith("https:")

    @property
    def _over_tcp(self) -> bool:
        return self._endpoint.socket is None and self._endpoint.dial is None

    def _refusal(self, status: int, content_type: str, data: bytes) -> PalaverError:
        if content_type != PROBLEM_CONTENT_TYPE:
            return self._foreign(status)
        try:
            problem = decode.answer(data, Problem).value
        except decode.MalformedError:
            return self._foreign(status)
        if problem.code == "unauthenticated":
            return Unauthenticated(problem, self._endpoint)
        return Refused(problem)

    def _foreign(self, status: int) -> PalaverError:
        said = (
            f"What answers at {self._endpoint} is not palaverd, or a version that this one does"
            f" not understand (HTTP status {status})."
        )
        if self._is_plain and status == 400:
            said = f"{said} If it speaks TLS, its address begins with https://."
        return PalaverError(said)


def _not_redirected() -> aiohttp.TraceConfig:
    """Return a trace configuration that refuses redirects, which `ws_connect` cannot disable."""

    async def refuse(_session: object, _context: object, redirect: Redirect) -> None:
        raise HandshakeRefused(redirect.response.status)

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(refuse)
    return config
