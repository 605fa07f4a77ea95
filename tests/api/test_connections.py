"""Connections that send nothing, half a request, or nonsense: refused or closed in time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest

from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaver.wire.errors import Problem
from palaverd.api.limits import BODY_S, HEAD_S, IDLE_S
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import make_daemon, short_dir, simulator_config

MOST = 8
HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHo"
HALF_A_BODY = b"POST /api/v1/chats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Raw:
    """A connection on which a test writes any bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> tuple[int, bytes]:
        """Read one response; return its status and body."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            return int(head.split()[1]), await self._reader.readexactly(length)

    async def problem(self) -> Problem:
        status, body = await self.answer()
        found = msgspec.json.decode(body, type=Problem)
        assert found.status == status
        return found

    async def take(self, size: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._reader.readexactly(size)

    async def is_cut(self) -> bool:
        """Wait until the daemon has closed it; return False if it sends something else."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.read(1) == b""
            except ConnectionError:
                return True

    async def rest(self) -> bytes:
        """Read until the daemon has closed it."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.read()

    def is_open(self) -> bool:
        return not self._reader.at_eof()

    async def close(self) -> None:
        self._writer.close()


Raws = Callable[[bytes], Awaitable[Raw]]


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Daemon, ManualClock, Raws]]:
    """A daemon with room for few connections, on a clock that the test advances."""
    clock = ManualClock()
    config = simulator_config("http://127.0.0.1:1", worker=WorkerConfig(enabled=False))
    async with short_dir() as data_dir, AsyncExitStack() as stack:
        daemon = make_daemon(data_dir, config, clock, connections=MOST)
        await daemon.start()
        stack.push_async_callback(daemon.stop)

        async def raw(said: bytes) -> Raw:
            reader, writer = await asyncio.open_unix_connection(str(daemon.socket))
            made = Raw(reader, writer)
            stack.push_async_callback(made.close)
            made.say(said)
            return made

        yield daemon, clock, raw


@pytest.mark.parametrize("said", [b"", HALF_A_HEAD], ids=["silent", "half a head"])
async def test_a_connection_without_a_request_is_closed_in_time(said: bytes) -> None:
    async with served() as (daemon, clock, raw):
        one = await raw(said)
        await until(lambda: len(daemon.connections) == 1)
        clock.advance(HEAD_S - 1)
        assert one.is_open()
        clock.advance(1)
        assert await one.is_cut()
        await until(lambda: len(daemon.connections) == 0)


async def test_a_half_sent_body_is_refused_in_time_and_nothing_is_changed() -> None:
    async with served() as (daemon, clock, raw):
        one = await raw(HALF_A_BODY)
        await until(lambda: BODY_S in clock.waits())
        clock.advance(BODY_S)
        problem = await one.problem()
        assert (problem.status, problem.code) == (408, "too_slow")
        async with Client(Endpoint(socket=daemon.socket)) as client:
            assert (await client.chats()).chats == []


async def test_a_connection_is_kept_between_requests_and_closed_when_it_is_not_used() -> None:
    async with served() as (daemon, clock, raw):
        one = await raw(HEALTH)
        assert (await one.answer())[0] == 200
        await until(lambda: IDLE_S in clock.waits())
        clock.advance(IDLE_S - 1)
        one.say(HEALTH)
        assert (await one.answer())[0] == 200
        await until(lambda: IDLE_S in clock.waits())
        one.say(HALF_A_HEAD)
        clock.advance(IDLE_S)
        assert await one.is_cut()
        assert len(daemon.connections) == 0


async def test_a_long_answer_may_be_taken_slowly_but_not_be_left() -> None:
    async with served() as (daemon, clock, raw):
        async with Client(Endpoint(socket=daemon.socket)) as client:
            chat = (await client.create_chat(CreateChat(content="x" * 900_000))).chat
        path = f"/api/v1/chats/{chat.id}/messages"
        one = await raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await until(lambda: daemon.connections.unsent > 0)
        for _ in range(2):
            unsent = daemon.connections.unsent
            clock.advance(IDLE_S)
            await one.take(200_000)
            await until(lambda: daemon.connections.unsent < unsent)  # noqa: B023
        assert daemon.connections.unsent > 0
        clock.advance(IDLE_S)  # it received a part meanwhile
        assert len(daemon.connections) == 1
        clock.advance(IDLE_S)
        await until(lambda: len(daemon.connections) == 0)


@pytest.mark.parametrize(
    "said", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["silent", "half a head", "half a body"]
)
async def test_those_that_say_nothing_make_room_for_those_that_do(said: bytes) -> None:
    """The connection that has waited longest is closed; no deadline passes here."""
    async with served() as (daemon, _, raw):
        waiting = []
        for number in range(MOST):
            waiting.append(await raw(said))
            await until(lambda: len(daemon.connections) == number + 1)  # noqa: B023
        async with Client(Endpoint(socket=daemon.socket)) as client:
            await client.create_chat(CreateChat(content="hello"))
        assert await waiting[0].is_cut()
        assert all(one.is_open() for one in waiting[2:])
        assert len(daemon.connections) <= MOST


async def test_streams_leave_room_for_requests() -> None:
    async with served() as (daemon, clock, raw), Client(Endpoint(socket=daemon.socket)) as client:
        chat = (await client.create_chat(CreateChat(content="hello"))).chat
        head = (
            f"GET /api/v1/chats/{chat.id}/stream HTTP/1.1\r\nHost: localhost\r\n"
            "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()
        streams = [await raw(head) for _ in range(MOST * 3 // 4)]
        await until(lambda: len(daemon.sockets) == len(streams))
        problem = await (await raw(head)).problem()
        assert (problem.status, problem.code) == (429, "too_many_streams")
        clock.advance(HEAD_S + IDLE_S)  # streams are never idle, however long they are silent
        assert all(one.is_open() for one in streams)
        assert (await client.chat(chat.id)).id == chat.id


async def test_where_all_work_one_more_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served() as (daemon, _, raw):
        hold = asyncio.Event()

        async def read(*_: object) -> None:
            await hold.wait()

        monkeypatch.setattr(daemon.database, "read", read)
        asked = b"GET /api/v1/chats/a HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for number in range(MOST):
            await raw(asked)
            await until(lambda: daemon.connections.working == number + 1)  # noqa: B023
        problem = await (await raw(b"")).problem()
        assert (problem.status, problem.code) == (503, "too_many_connections")
        hold.set()


def posted(body: bytes, *headers: bytes) -> bytes:
    head = [b"POST /api/v1/chats HTTP/1.1", b"Host: localhost", *headers]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", body])


NONSENSE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a line that is too long": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "a field that is too long": b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    "too many fields": b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 1000 + b"\r\n",
    "a bad length": b"POST /api/v1/chats HTTP/1.1\r\nContent-Length: many\r\n\r\n",
    "bad chunks": b"POST /api/v1/chats HTTP/1.1\r\nHost: localhost\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nnope\r\n\r\n",
    **{
        f"{coding} before a plain body": posted(
            b'{"content":"x"}', b"Content-Encoding: %s" % coding.encode()
        )
        for coding in ("gzip", "deflate", "br", "zstd", "nonsense")
    },
    "gzip where no body is read": b"GET /healthz HTTP/1.1\r\nContent-Encoding: gzip\r\n"
    b"Content-Length: 5\r\n\r\nplain",
}


@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE)
async def test_what_is_no_request_is_refused_in_a_sentence_and_is_no_error_of_ours(
    said: bytes, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served() as (daemon, _, raw):
        one = await raw(said)
        status, body = await one.answer()
        if b"healthz" not in said and b"nonsense" not in said:
            assert status in {400, 414, 431}
            assert msgspec.json.decode(body, type=Problem).detail.endswith(".")
        assert status < 500
        async with Client(Endpoint(socket=daemon.socket)) as client:
            await client.health()
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
    assert "Traceback" not in "".join(capsys.readouterr())


async def test_a_body_that_is_really_compressed_is_taken() -> None:
    import zlib

    async with served() as (_, _, raw):
        packed = zlib.compressobj(wbits=31)
        body = packed.compress(b'{"content":"hello"}') + packed.flush()
        one = await raw(posted(body, b"Content-Encoding: gzip"))
        assert (await one.answer())[0] == 201
