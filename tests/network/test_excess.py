"""What a client can send and hold open in excess: refused or closed with a code, and memory stays.

Growth of the resident memory of a daemon in its own process (Python 3.11, two shared cores) is
printed by each test; `pytest -s` shows it.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress

import pytest

from api.test_connections import HALF_A_BODY, HALF_A_HEAD
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaverd.api.limits import (
    CLOSE_NOT_READ,
    HEARTBEAT_S,
    PARTING_S,
    SEND_STALL_S,
)
from palaverd.config.types import WorkerConfig
from support.clock import ManualClock, until
from support.daemon import make_daemon, short_dir, simulator_config
from support.memory import resident_mib
from support.process import DaemonProcess, place, started

GROWTH_MIB = 64.0
MIB = 1024 * 1024
FRAGMENTS = 1_000_000
SOCKETS = 1000
HALF_CLOSED = 100
TEN_MINUTES_S = 600
LONG_S = 60.0
TEXT, CONTINUATION, FINAL = 0x01, 0x00, 0x80  # the first byte of a frame (RFC 6455, 5.2)
UPGRADE = (
    b"GET /api/v1/watch HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def masked(first: int, payload: bytes) -> bytes:
    """Return a small frame as clients send it, with a mask of zeros."""
    assert len(payload) < 126
    return bytes((first, 0x80 | len(payload))) + bytes(4) + payload


def sent_all(connection: socket.socket, said: Iterator[bytes]) -> bytes:
    """Open a stream, send everything or until it is closed; return what was received in the end."""
    connection.sendall(UPGRADE)
    with suppress(ConnectionError):
        for some in said:
            connection.sendall(some)
        connection.shutdown(socket.SHUT_WR)
    received = bytearray()
    with suppress(ConnectionError):
        while some := connection.recv(MIB):
            received += some
    return bytes(received)


def code_of(received: bytes) -> int | None:
    """Return the code of the close frame at the end; None if there is none."""
    _, found, close = received.rpartition(b"\x88")
    return int.from_bytes(close[1:3], "big") if found else None


@asynccontextmanager
async def measured(what: str) -> AsyncIterator[DaemonProcess]:
    """Run a daemon, and check after the block that it has not grown and still serves."""
    async with place() as data_dir, started(data_dir) as daemon:
        await daemon.client.create_chat(CreateChat("[[echo]] hello"))
        pid = daemon.process.pid
        before = await asyncio.to_thread(resident_mib, pid)
        yield daemon
        grown = await asyncio.to_thread(resident_mib, pid) - before
        print(f"{what}: {grown:.1f} MiB")  # noqa: T201 - the figure is a purpose of the test
        assert grown < GROWTH_MIB
        assert len((await daemon.client.chats()).chats) == 1
        assert not daemon.logged("stream failed")


def a_long_frame() -> Iterator[bytes]:
    size = 64 * MIB
    yield bytes((FINAL | TEXT, 0x80 | 127)) + size.to_bytes(8, "big") + bytes(4)
    for _ in range(64):
        yield bytes(MIB)


def fragments(payload: bytes) -> Iterator[bytes]:
    yield masked(TEXT, payload)
    batch = masked(CONTINUATION, payload) * 1000
    for _ in range(FRAGMENTS // 1000):
        yield batch
    yield masked(FINAL | CONTINUATION, payload)


@pytest.mark.process
@pytest.mark.parametrize(
    ("what", "said", "code"),
    [
        ("a frame of 64 MiB", a_long_frame(), 1009),
        ("a million fragments", fragments(b"x"), 1009),
        ("a million empty fragments", fragments(b""), None),  # they are nothing, and ignored
    ],
)
async def test_too_much_on_a_stream_is_closed_with_its_code_and_not_kept(
    what: str, said: Iterator[bytes], code: int | None
) -> None:
    async with measured(what) as daemon:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(daemon.data_dir / "palaverd.sock"))
            async with asyncio.timeout(LONG_S):
                received = await asyncio.to_thread(sent_all, connection, said)
        assert code_of(received) == code


@pytest.mark.process
async def test_a_thousand_idle_streams_cost_little() -> None:
    _, hard = limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * SOCKETS), hard))
    try:
        async with measured(f"{SOCKETS} idle streams") as daemon:
            with ExitStack() as opened:
                for _ in range(SOCKETS):
                    one = opened.enter_context(socket.socket(socket.AF_UNIX))
                    one.connect(str(daemon.data_dir / "palaverd.sock"))
                    one.sendall(UPGRADE)
                    assert await asyncio.to_thread(one.recv, 12) == b"HTTP/1.1 101"
                pid = daemon.process.pid
                print(f"open: {await asyncio.to_thread(resident_mib, pid):.1f} MiB in all")  # noqa: T201
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


async def test_half_closed_connections_are_gone_after_ten_minutes() -> None:
    """A client that has ended its side has left, as docs/api.md says: there is no code."""
    clock = ManualClock()
    config = simulator_config("http://127.0.0.1:1", worker=WorkerConfig(enabled=False))
    async with short_dir() as folder:
        daemon = make_daemon(folder, config, clock)
        await daemon.start()
        try:
            with ExitStack() as opened:
                some = []
                for number in range(HALF_CLOSED):
                    one = opened.enter_context(socket.socket(socket.AF_UNIX))
                    one.connect(str(daemon.socket))
                    one.sendall((b"", HALF_A_HEAD, HALF_A_BODY, UPGRADE)[number % 4])
                    some.append(one)
                await until(lambda: len(daemon.sockets) == HALF_CLOSED // 4)
                for one in some:
                    one.shutdown(socket.SHUT_WR)
                passed = 0.0
                while passed < TEN_MINUTES_S:
                    clock.advance(HEARTBEAT_S)
                    passed += HEARTBEAT_S
                    await asyncio.sleep(0.001)
                await until(lambda: len(daemon.connections) == 0)
                assert len(daemon.sockets) == 0
                assert daemon.connections.unsent == 0
                for one in some[3::4]:
                    assert code_of(await asyncio.to_thread(one.recv, MIB)) is None
                    assert one.recv(1) == b""
            async with Client(Endpoint(socket=daemon.socket)) as client:
                assert (await client.chats()).chats == []
        finally:
            await daemon.stop()


async def test_streams_that_are_never_read_are_gone_too_each_with_the_code() -> None:
    clock = ManualClock()
    config = simulator_config("http://127.0.0.1:1", worker=WorkerConfig(enabled=False))
    async with short_dir() as folder:
        daemon = make_daemon(folder, config, clock)
        await daemon.start()
        try:
            with ExitStack() as opened:
                some = []
                for _ in range(HALF_CLOSED):
                    one = opened.enter_context(socket.socket(socket.AF_UNIX))
                    one.connect(str(daemon.socket))
                    one.sendall(UPGRADE)
                    some.append(one)
                await until(lambda: len(daemon.sockets) == HALF_CLOSED)
                passed = 0.0
                while passed < SEND_STALL_S + PARTING_S + HEARTBEAT_S:
                    clock.advance(HEARTBEAT_S)
                    passed += HEARTBEAT_S
                    await asyncio.sleep(0.001)
                await until(lambda: len(daemon.sockets) == 0)
                for one in some:
                    received = await asyncio.to_thread(one.recv, MIB)
                    assert code_of(received) == CLOSE_NOT_READ
        finally:
            await daemon.stop()
