"""Live output is written to the socket directly, as valid frames, if that does not block."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, UnixConnector, WSMsgType, web

from palaverd.api import limits
from palaverd.api.push import Sender, unsent_of
from support.certificates import Authority
from support.clock import PATIENCE_S
from support.daemon import short_dir

Handle = Callable[[web.WebSocketResponse, Sender, asyncio.Transport], Awaitable[None]]


@asynccontextmanager
async def connected(handle: Handle) -> AsyncIterator[ClientWebSocketResponse]:
    async def accept(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        assert request.transport is not None
        await handle(socket, Sender(socket, request.transport), request.transport)
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/", accept)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    async with short_dir() as folder:
        await web.UnixSite(runner, str(folder / "s")).start()
        connector = UnixConnector(str(folder / "s"))
        try:
            async with (
                ClientSession(connector=connector) as session,
                session.ws_connect("http://x/") as client,
            ):
                yield client
        finally:
            await runner.cleanup()


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, limits.PROMPT_FRAME])
async def test_a_pushed_frame_is_read_as_it_was_written_between_frames_of_the_library(
    size: int,
) -> None:
    text = "é" * (size // 2) + "x" * (size % 2)

    async def handle(
        socket: web.WebSocketResponse, sender: Sender, transport: asyncio.Transport
    ) -> None:
        await socket.send_str("before")
        assert sender.push(text.encode(), 0.0) == (size <= limits.PROMPT_FRAME)
        await socket.send_str("after")

    async with connected(handle) as client, asyncio.timeout(PATIENCE_S):
        assert await client.receive_str() == "before"
        if size <= limits.PROMPT_FRAME:
            assert await client.receive_str() == text
        assert await client.receive_str() == "after"


async def test_nothing_is_pushed_to_a_reader_that_has_not_taken_what_was_sent_before() -> None:
    refused = asyncio.Event()

    async def handle(
        socket: web.WebSocketResponse, sender: Sender, transport: asyncio.Transport
    ) -> None:
        # More than the kernel's buffer: the rest is buffered here.
        while transport.get_write_buffer_size() == 0:
            assert sender.push(b"x" * limits.PROMPT_FRAME, 0.0)
        assert not sender.push(b"y", 0.0)
        refused.set()

    async with connected(handle) as client, asyncio.timeout(PATIENCE_S):
        await refused.wait()
        assert await client.receive_str() == "x" * limits.PROMPT_FRAME


async def test_nothing_is_pushed_behind_a_close() -> None:
    async def handle(
        socket: web.WebSocketResponse, sender: Sender, transport: asyncio.Transport
    ) -> None:
        closing = asyncio.ensure_future(socket.close(code=4000))
        await asyncio.sleep(0)
        assert not sender.push(b"late", 0.0)
        await closing

    async with connected(handle) as client, asyncio.timeout(PATIENCE_S):
        message = await client.receive()
        assert (message.type, message.data) == (WSMsgType.CLOSE, 4000)


async def test_what_waits_below_tls_is_unsent_too(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue())
    accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=str(authority.file))
    _, client = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    writer = await accepted
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)
    try:
        assert unsent_of(transport) == 0
        size = 64 * 1024 * 1024  # more than the kernel takes
        writer.write(bytes(size))
        assert size // 2 < unsent_of(transport) < size * 1.1
    finally:
        for end in (client, writer):
            end.transport.abort()
        server.close()
        await asyncio.sleep(0)
