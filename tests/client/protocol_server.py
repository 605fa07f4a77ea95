"""A small real server that speaks the documented protocol, controlled by a test."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from palaver import __version__
from palaver.client import Endpoint
from palaver.wire.chats import Chat, Info, Versions
from palaver.wire.errors import PROBLEM_CONTENT_TYPE, Problem
from palaver.wire.protocol import CAPABILITIES, PROTOCOL

INFO_PATH = "/api/v1/info"
WHEN = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
INFO = Info(
    __version__, 7, WHEN, "/srv/palaver", list(CAPABILITIES), protocol=PROTOCOL, oldest_protocol=1
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Conversation = Callable[[web.WebSocketResponse], Awaitable[None]]


def versions(snapshot: int = 4, turn: int = 2) -> Versions:
    return Versions(snapshot=snapshot, history=3, turn=turn, queue=0, retry=0)


def chat(id: str = "c1", **fields: Any) -> Chat:  # noqa: A002
    usual = Chat(id, "t", "waiting", created_at=WHEN, updated_at=WHEN, versions=versions())
    return msgspec.structs.replace(usual, **fields)


def answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json"
    )


def refusal(status: int, code: str, detail: str) -> web.Response:
    problem = Problem(f"urn:palaver:problem:{code}", code, status, detail, code)
    return web.Response(
        status=status, body=msgspec.json.encode(problem), content_type=PROBLEM_CONTENT_TYPE
    )


async def say(socket: web.WebSocketResponse, *events: Any) -> None:
    await socket.send_str(msgspec.json.encode(list(events)).decode())


async def listen(socket: web.WebSocketResponse) -> None:
    """Keep the connection until the client ends it."""
    async for _ in socket:
        pass


class ProtocolServer:
    """Routes that a test may replace, and a queue of conversations for its WebSockets.

    `requests` holds the requests: (method, path, query, headers, body).
    """

    def __init__(self, directory: Path, tls: ssl.SSLContext | None = None) -> None:
        self.endpoint = Endpoint.unix(directory / "s")
        self.port = 0  # of the TCP socket beside it
        self._tls = tls
        self.routes: dict[tuple[str, str], Handler] = {}
        self.conversations: list[Conversation] = []
        self.requests: list[tuple[str, str, dict[str, str], dict[str, str], Any]] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.endpoint.socket)).start()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls).start()
        self.port = self._runner.addresses[1][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == INFO_PATH and ("GET", INFO_PATH) not in self.routes:
            return answer(INFO)  # every client begins with it
        body = await request.read()
        content = msgspec.json.decode(body) if body else None
        self.requests.append(
            (request.method, request.path, dict(request.query), dict(request.headers), content)
        )
        handler = self.routes.get((request.method, request.path))
        if handler is not None:
            return await handler(request)
        if request.headers.get("Upgrade") == "websocket" and self.conversations:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await self.conversations.pop(0)(socket)
            return socket
        return refusal(404, "not_found", f"There is nothing at {request.path}.")


async def _cut(socket: web.WebSocketResponse) -> None:
    transport = socket._req.transport  # type: ignore[union-attr]
    assert transport is not None
    transport.abort()
    await asyncio.sleep(0)


cut = _cut


@asynccontextmanager
async def protocol_server(tls: ssl.SSLContext | None = None) -> Any:
    # Not tmp_path: a socket's address has room for about a hundred bytes.
    directory = Path(tempfile.mkdtemp(prefix="palaver-test-"))
    server = ProtocolServer(directory, tls)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        await asyncio.to_thread(shutil.rmtree, directory)
