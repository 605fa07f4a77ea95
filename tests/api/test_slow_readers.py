"""A client that does not read its stream is closed, and its memory is freed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat, SendMessage
from palaverd.api.limits import BODY_LIMIT, GOODBYE_S, SEND_STALL_S
from palaverd.config.addresses import ListenAddress
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from support.clock import ManualClock, until
from support.daemon import make_daemon, short_dir, simulator_config
from support.tokens import make_token

# With a queue it is more than the kernel's buffers, which are some megabytes for TCP.
LONG = "x" * (BODY_LIMIT - 1000)
QUEUED = 7


async def asked(daemon: Daemon, chat: str, *headers: str) -> socket.socket:
    """Open a chat's stream without reading it; over TCP if there are headers for it."""
    family = socket.AF_INET if headers else socket.AF_UNIX
    reader = socket.socket(family)
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    where = tuple(daemon.listening[0]) if headers else str(daemon.socket)
    await asyncio.to_thread(reader.connect, where)
    lines = (
        f"GET /api/v1/chats/{chat}/stream HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
    )
    reader.sendall("\r\n".join((*lines, "", "")).encode())
    await until(lambda: daemon.connections.unsent > len(LONG) // 8)
    return reader


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Daemon, ManualClock, str]]:
    """A daemon that has a chat with a long message."""
    clock = ManualClock()
    config = simulator_config("http://127.0.0.1:1", worker=WorkerConfig(enabled=False))
    async with short_dir() as folder:
        daemon = make_daemon(folder, config, clock, listen=[ListenAddress("127.0.0.1", 0)])
        await daemon.start()
        try:
            async with Client(Endpoint(socket=daemon.socket)) as client:
                chat = (await client.create_chat(CreateChat(LONG))).chat.id
                for _time in range(QUEUED):
                    await client.send(chat, SendMessage(LONG))
            yield daemon, clock, chat
        finally:
            await daemon.stop()


async def test_a_reader_that_takes_nothing_is_cut_off_and_what_it_did_not_take_is_dropped() -> None:
    async with served() as (daemon, clock, chat):
        with await asked(daemon, chat):
            clock.advance(SEND_STALL_S - 1)
            await asyncio.sleep(0.01)
            assert len(daemon.sockets) == 1
            clock.advance(1)
            await until(lambda: len(daemon.sockets) == 0)
            assert daemon.connections.unsent == 0


async def test_one_whose_token_is_over_is_cut_off_though_it_takes_no_goodbye() -> None:
    async with served() as (daemon, clock, chat):
        made = await make_token(daemon, expires_seconds=5)
        with await asked(daemon, chat, f"Authorization: Bearer {made.secret}"):
            clock.advance(5)
            await asyncio.sleep(0.05)
            clock.advance(GOODBYE_S)
            await until(lambda: len(daemon.sockets) == 0)
            assert daemon.connections.unsent == 0
