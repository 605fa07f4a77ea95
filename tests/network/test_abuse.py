"""Unauthenticated connections to a daemon: what they cost, and that others are still served.

The cost of 200 of them at once, as growth of the resident memory of a daemon in its own process
(Python 3.11, two shared cores):

| what | each | together |
| --- | --- | --- |
| half a head over TCP | 13 KiB | 3 MiB |
| half a handshake of TLS | 96 KiB | 19 MiB |
| half a head over TLS | 67 KiB | 13 MiB |
| the last two with asyncio's own buffers (see `tls.BUFFER`) | 324 and 294 KiB | 63 and 58 MiB |
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, Literal

import pytest

from api.test_connections import Raw
from network.lines import ANY
from network.test_killed_far_daemon import Box, box
from palaver.wire.chats import CreateChat
from palaverd.api import limits
from palaverd.config.types import ServerConfig, WorkerConfig
from palaverd.daemon import Daemon
from support.certificates import Authority
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import make_daemon, short_dir, simulator_config
from support.tokens import make_token

DoorName = Literal["unix", "tcp", "tls"]
DOORS: Final[tuple[DoorName, ...]] = ("unix", "tcp", "tls")
SLOW = 200  # connections at once
MOST_GROWTH = 32 * 1024 * 1024  # bytes, of all together


class Door:
    """One listener of a daemon in this process, on a clock that the test advances."""

    def __init__(self, name: DoorName, daemon: Daemon, clock: ManualClock, ca: Path) -> None:
        self.daemon, self.clock, self.name = daemon, clock, name
        self._tls = ssl.create_default_context(cafile=str(ca)) if name == "tls" else None
        self._writers: list[asyncio.StreamWriter] = []
        self.token = ""

    async def raw(self, said: bytes = b"") -> Raw:
        if self.name == "unix":
            reader, writer = await asyncio.open_unix_connection(str(self.daemon.socket))
        else:
            port = self.daemon.listening[0].port
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=self._tls)
        self._writers.append(writer)
        made = Raw(reader, writer)
        made.say(said)
        return made

    def request(self, line: str, *headers: str, body: bytes = b"") -> bytes:
        head = [f"{line} HTTP/1.1", "Host: localhost", *headers]
        if self.token:
            head.append(f"Authorization: Bearer {self.token}")
        return "\r\n".join([*head, "", ""]).encode() + body

    async def close(self) -> None:
        for writer in self._writers:
            dropped(writer)
        await asyncio.sleep(0)


def dropped(writer: asyncio.StreamWriter) -> None:
    writer.close()
    writer.transport.abort()


@asynccontextmanager
async def door(name: DoorName, connections: int = limits.CONNECTIONS) -> AsyncIterator[Door]:
    clock = ManualClock()
    async with short_dir() as folder:
        authority = Authority(folder)
        certificate, key = authority.issue()
        server = ServerConfig(tls_cert=str(certificate), tls_key=str(key))
        config = simulator_config(
            "http://127.0.0.1:1",
            worker=WorkerConfig(enabled=False),
            server=server if name == "tls" else ServerConfig(),
        )
        listen = [] if name == "unix" else [ANY]
        daemon = make_daemon(folder, config, clock, connections=connections, listen=listen)
        await daemon.start()
        one = Door(name, daemon, clock, authority.file)
        if name != "unix":
            one.token = (await make_token(daemon)).secret
        try:
            yield one
        finally:
            await one.close()
            await daemon.stop()


@pytest.fixture(params=DOORS)
def name(request: pytest.FixtureRequest) -> DoorName:
    chosen: DoorName = request.param
    return chosen


async def test_a_body_over_a_megabyte_is_refused_before_it_is_read(name: DoorName) -> None:
    async with door(name) as one:
        length = f"Content-Length: {limits.BODY_LIMIT + 1}"
        raw = await one.raw(one.request("POST /api/v1/chats", length, body=b'{"content": "'))
        problem = await raw.problem()
        assert problem.status == 413


async def test_a_frame_over_the_limit_closes_the_socket_with_the_code_for_it(
    name: DoorName,
) -> None:
    async with door(name) as one:
        upgrade = ("Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        raw = await one.raw(one.request("GET /api/v1/watch", *upgrade, key))
        await until(lambda: len(one.daemon.sockets) == 1)
        size = limits.INCOMING_FRAME_LIMIT + 1
        # A masked frame with its length; its content is never sent.
        raw.say(b"\x81\xff" + size.to_bytes(8, "big") + b"\x00\x00\x00\x00")
        said = await raw.rest()
        assert (1009).to_bytes(2, "big") in said[said.rindex(b"\x88") :]
        await until(lambda: len(one.daemon.sockets) == 0)


@pytest.mark.parametrize(
    ("said", "within"),
    [
        (b"", limits.HEAD_S),
        (b"GET /healthz HTTP/1.1\r\nHo", limits.HEAD_S),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", limits.IDLE_S),
    ],
    ids=["idle", "half a head", "idle after a request"],
)
async def test_who_says_nothing_is_cut_off_in_time(
    name: DoorName, said: bytes, within: float
) -> None:
    async with door(name) as one:
        raw = await one.raw(said)
        if said.endswith(b"\r\n\r\n"):
            assert (await raw.answer())[0] == 200
        await until(lambda: len(one.daemon.connections) == 1)
        await until(lambda: any(within - 1 < wait <= within for wait in one.clock.waits()))
        one.clock.advance(within - 1)
        assert raw.is_open()
        one.clock.advance(1)
        assert await raw.is_cut()
        assert len(one.daemon.connections) == 0


async def test_a_head_that_comes_a_byte_at_a_time_has_one_deadline_for_all_of_it(
    name: DoorName,
) -> None:
    async with door(name) as one:
        raw = await one.raw()
        await until(lambda: len(one.daemon.connections) == 1)
        for byte in b"GET /healthz HTTP/1.1\r\nHost: l":
            raw.say(bytes([byte]))
            one.clock.advance(limits.HEAD_S / 31)
            assert raw.is_open()
        one.clock.advance(limits.HEAD_S / 31)
        assert await raw.is_cut()


async def test_two_hundred_slow_connections_are_in_nobodys_way(name: DoorName) -> None:
    """With room for 50, and with no deadline passing: a real client is served at once."""
    async with door(name, connections=50) as one:
        for number in range(SLOW):
            raw = await one.raw()
            raw.say(b"GET /healthz HTTP/1.1\r\nHo" if number % 2 else b"")
        for _ in range(5):
            asked = await one.raw(one.request("GET /healthz", "Connection: close"))
            assert (await asked.answer())[0] == 200
        assert len(one.daemon.connections) <= 50


# --- figures --------------------------------------------------------------------------------


async def memory(process: int) -> int:
    text = await asyncio.to_thread(Path(f"/proc/{process}/status").read_text)
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if "VmRSS" in line)


HALF_A_HANDSHAKE = b"\x16\x03\x01\x02\x00\x01\x00\x01"
HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHo"
# The bytes that are sent, and whether a TLS handshake precedes them.
COSTS = {
    "half a head": (HALF_A_HEAD, False),
    "half a handshake": (HALF_A_HANDSHAKE, False),
    "half a head with TLS": (HALF_A_HEAD, True),
}


@pytest.mark.process
@pytest.mark.parametrize("what", COSTS)
async def test_what_two_hundred_of_them_cost(what: str) -> None:
    said, with_tls = COSTS[what]
    async with box(encrypted=with_tls or what == "half a handshake") as far:
        assert far.daemon is not None
        await far.daemon.client.health()
        tls = ssl.create_default_context(cafile=str(far.endpoint.ca_file)) if with_tls else None
        async with AsyncExitStack() as stack:
            before = await memory(far.daemon.process.pid)
            for _ in range(SLOW):
                _, writer = await asyncio.open_connection("127.0.0.1", far.port, ssl=tls)
                stack.callback(dropped, writer)
                writer.write(said)
            chat = (await far.daemon.client.create_chat(CreateChat("[[echo]] hi"))).chat
            await far.daemon.client.chat(chat.id)
            growth = await settled(far) - before
        assert growth < MOST_GROWTH, f"{growth / 2**20:.1f} MiB"


async def settled(far: Box) -> int:
    """Return the daemon's memory once it has read everything and does not grow any more."""
    assert far.daemon is not None
    last = -1
    async with asyncio.timeout(PATIENCE_S):
        while (now := await memory(far.daemon.process.pid)) != last:
            last = now
            await asyncio.sleep(0.3)
    return last
