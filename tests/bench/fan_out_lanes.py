"""Minimal servers that send frames to many readers, with aiohttp and with picows."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web
from picows import WSListener, WSTransport, WSUpgradeRequest, ws_create_server
from picows import WSMsgType as PicowsType


class Bare:
    """A loop over the sockets of aiohttp."""

    def __init__(self) -> None:
        self._sockets: set[web.WebSocketResponse] = set()

    def __len__(self) -> int:
        return len(self._sockets)

    @asynccontextmanager
    async def serving(self, on: socket.socket) -> AsyncIterator[None]:
        """Serve on a bound socket within the block."""
        app = web.Application()
        app.router.add_get("/", self._accept)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.SockSite(runner, on).start()
        try:
            yield
        finally:
            await runner.cleanup()

    async def _accept(self, request: web.Request) -> web.StreamResponse:
        made = web.WebSocketResponse(compress=False)
        await made.prepare(request)
        self._sockets.add(made)
        async for _ in made:
            pass
        return made

    async def send(self, frame: bytes) -> None:
        """Send a frame to all readers."""
        for each in self._sockets:
            await each.send_frame(frame, WSMsgType.TEXT)


class Picows:
    """A loop over the sockets of picows, whose framing and transport are C. It needs TCP."""

    def __init__(self) -> None:
        self._sockets: list[WSTransport] = []

    def __len__(self) -> int:
        return len(self._sockets)

    @asynccontextmanager
    async def serving(self, on: socket.socket) -> AsyncIterator[None]:
        """Serve on a bound socket within the block."""
        sockets = self._sockets

        class Listener(WSListener):
            def on_ws_connected(self, transport: WSTransport) -> None:
                sockets.append(transport)

        def listener(_request: WSUpgradeRequest) -> WSListener:
            return Listener()

        server = await ws_create_server(listener, sock=on, websocket_handshake_timeout=None)
        try:
            yield
        finally:
            server.close()
            for each in sockets:
                each.disconnect(graceful=False)

    async def send(self, frame: bytes) -> None:
        """Send a frame to all readers."""
        for each in self._sockets:
            each.send(PicowsType.TEXT, frame)
