"""Live output is written to the socket directly, as valid frames, if that does not block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, UnixConnector, WSMsgType, web

from palaverd.api import limits
from palaverd.api.push import Sender
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
