"""A client that does not read its stream is closed, and its memory is freed."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from math import ceil

import aiohttp
import pytest
from aiohttp import WSMsgType

from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat, SendMessage
from palaverd.api import limits
from palaverd.api.limits import (
    BODY_LIMIT,
    CLOSE_FAILED,
    CLOSE_NOT_READ,
    GOODBYE_S,
    HEARTBEAT_S,
    PONGS,
    SEND_STALL_S,
    SLOWEST,
)
from palaverd.config.addresses import ListenAddress
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import make_daemon, short_dir, simulator_config
from support.tokens import make_token

# With a queue it is more than the kernel's buffers, which are some megabytes for TCP.
LONG = "x" * (BODY_LIMIT - 1000)
QUEUED = 7
TEXT, CLOSE = 1, 8  # opcodes (RFC 6455, 11.8)
# In these tests: no other timer of the daemon has so long to wait.
PARTING_S = 10.25


@pytest.fixture(autouse=True)
def _own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PARTING_S", PARTING_S)


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


def pass_stall(clock: ManualClock) -> None:
    """Let the time pass after which a client that reads nothing is closed."""
    for _ in range(ceil(SEND_STALL_S / HEARTBEAT_S) + 1):  # first it is seen that something waits
        clock.advance(HEARTBEAT_S)


def frames(reader: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Yield the opcode and payload of each frame that a server sends, until the connection ends."""
    with reader.makefile("rb") as stream:
        while (stream.readline().strip()) != b"":
            pass
        while len(head := stream.read(2)) == 2:
            size = head[1]
            if size >= 126:
                size = int.from_bytes(stream.read(2 if size == 126 else 8), "big")
            payload = stream.read(size)
            if len(payload) < size:
                return
            yield head[0] & 0x0F, payload


async def test_a_reader_that_never_reads_is_cut_off_and_what_it_did_not_take_is_dropped() -> None:
    async with served() as (daemon, clock, chat):
        with await asked(daemon, chat) as reader:
            for _ in range(ceil(SEND_STALL_S / HEARTBEAT_S)):
                clock.advance(HEARTBEAT_S)
            await asyncio.sleep(0.01)
            assert len(daemon.sockets) == 1
            assert PARTING_S not in clock.waits()
            clock.advance(HEARTBEAT_S)
            assert PARTING_S in clock.waits()
            clock.advance(PARTING_S)
            await until(lambda: len(daemon.sockets) == 0)
            assert daemon.connections.unsent == 0
            last = deque(await asyncio.to_thread(lambda: list(frames(reader))), 1)
            assert not last or last[0][0] != CLOSE


async def test_one_that_reads_on_in_time_gets_all_that_waited_and_then_the_code() -> None:
    async with served() as (daemon, clock, chat):
        with await asked(daemon, chat) as reader:
            pass_stall(clock)
            assert PARTING_S in clock.waits()
            clock.advance(PARTING_S - 1)
            read = asyncio.create_task(asyncio.to_thread(take_until_close, reader))
            *told, (opcode, payload) = await read
            assert opcode == CLOSE
            assert int.from_bytes(payload[:2], "big") == CLOSE_NOT_READ
            assert payload[2:].decode() == "nothing was read; connect again"
            whole = b"".join(payload for opcode, payload in told if opcode == TEXT)
            assert LONG.encode() in whole
            reader.sendall(masked_close(payload[:2]))
            assert await asyncio.to_thread(reader.recv, 1) == b""  # nothing follows, and no error
            await until(lambda: len(daemon.sockets) == 0)


async def test_one_that_reads_slowly_but_reads_is_not_closed() -> None:
    async with served() as (daemon, clock, chat):
        with await asked(daemon, chat) as reader:
            before = daemon.connections.unsent
            for _ in range(3):
                for _ in range(5):
                    clock.advance(HEARTBEAT_S)
                wanted = daemon.connections.unsent - SLOWEST
                while daemon.connections.unsent > wanted:
                    await asyncio.to_thread(reader.recv, 4096)
                    await asyncio.sleep(0.001)
                clock.advance(HEARTBEAT_S)
            assert daemon.connections.unsent < before
            assert len(daemon.sockets) == 1
            assert PARTING_S not in clock.waits()


async def test_time_in_which_the_daemon_was_suspended_is_not_held_against_clients() -> None:
    async with served() as (daemon, clock, chat):
        with await asked(daemon, chat):
            for _ in range(3):
                clock.advance(10 * SEND_STALL_S)
            assert PARTING_S not in clock.waits()
            assert len(daemon.sockets) == 1


@pytest.mark.parametrize("answers", [True, False])
async def test_a_quiet_client_is_asked_for_a_sign_of_life(answers: bool) -> None:
    async with served() as (daemon, clock, chat):
        connector = aiohttp.UnixConnector(str(daemon.socket))
        async with aiohttp.ClientSession(connector=connector) as session:
            url = f"http://localhost/api/v1/chats/{chat}/stream"
            async with session.ws_connect(url, autoping=False, max_msg_size=2**26) as client:
                asked_for = 0
                code = None
                async with asyncio.timeout(PATIENCE_S):
                    while asked_for < 9 and code is None:
                        message = await client.receive()
                        if message.type is WSMsgType.TEXT and daemon.connections.unsent == 0:
                            clock.advance(HEARTBEAT_S)  # what was read last was a heartbeat
                        elif message.type is WSMsgType.PING:
                            asked_for += 1
                            if answers:
                                await client.pong(message.data)
                                await asyncio.sleep(0.01)
                        elif message.type is WSMsgType.CLOSE:
                            code = message.data
                assert (code, asked_for) == ((None, 9) if answers else (CLOSE_NOT_READ, 3))


async def test_a_client_that_pings_and_never_reads_gets_few_answers() -> None:
    async with served() as (daemon, _, chat):
        with await asked(daemon, chat) as reader:
            before = daemon.connections.unsent
            ping = bytes((0x89, 0x80 | 125)) + bytes(4) + bytes(125)
            await asyncio.to_thread(reader.sendall, ping * 5000)
            await until(lambda: daemon.connections.unsent > before)
            await asyncio.sleep(0.05)
            assert daemon.connections.unsent <= before + PONGS * 127


async def test_one_whose_token_is_over_is_cut_off_though_it_takes_no_goodbye() -> None:
    async with served() as (daemon, clock, chat):
        made = await make_token(daemon, expires_seconds=5)
        with await asked(daemon, chat, f"Authorization: Bearer {made.secret}"):
            clock.advance(5)
            await asyncio.sleep(0.05)
            clock.advance(GOODBYE_S)
            await until(lambda: len(daemon.sockets) == 0)
            assert daemon.connections.unsent == 0


async def test_a_stream_that_fails_is_closed_with_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("palaverd.stream.subscriber.events_for", broken)
    async with served() as (daemon, _, chat):
        connector = aiohttp.UnixConnector(str(daemon.socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.ws_connect(f"http://localhost/api/v1/chats/{chat}/stream") as client,
        ):
            async with asyncio.timeout(PATIENCE_S):
                async for _message in client:
                    pass
            assert client.close_code == CLOSE_FAILED


def take_until_close(reader: socket.socket) -> list[tuple[int, bytes]]:
    """Read frames up to and with a close frame."""
    told = []
    for frame in frames(reader):
        told.append(frame)
        if frame[0] == CLOSE:
            break
    return told


def masked_close(payload: bytes) -> bytes:
    """Return a close frame as clients send it (RFC 6455, 5.3), with a mask of zeros."""
    return bytes((0x88, 0x80 | len(payload))) + bytes(4) + payload
