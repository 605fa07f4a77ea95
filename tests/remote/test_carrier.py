"""Carriers at both ends of one pair of pipes, with everything in between in one process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from palaver.remote.carrier import Carrier, Connect, NoConnectionError
from palaver.remote.mux import WINDOW, MuxError

MUCH = 8 * 1024 * 1024


class Ends:
    """The carriers at both ends, and the pipes between them."""

    def __init__(self, near: Carrier, far: Carrier, line: asyncio.StreamWriter) -> None:
        self.near, self.far, self.line = near, far, line


@asynccontextmanager
async def carriers(connect: Connect) -> AsyncIterator[Ends]:
    one, other = socket.socketpair()
    near_streams = await asyncio.open_connection(sock=one)
    far_streams = await asyncio.open_connection(sock=other)
    near, far = Carrier(*near_streams), Carrier(*far_streams, connect)
    running = [asyncio.create_task(end.run()) for end in (near, far)]
    try:
        yield Ends(near, far, near_streams[1])
    finally:
        near_streams[1].close()
        async with asyncio.timeout(10):
            done = await asyncio.gather(*running, return_exceptions=True)
        far_streams[1].close()
        for end in (near_streams[1], far_streams[1]):
            with suppress(ConnectionError):
                await end.wait_closed()
        assert [error for error in done if error is not None] == []


async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Echo to the end; for `much`, send a large response."""
    try:
        while data := await reader.read(65_536):
            writer.write(b"x" * MUCH if data == b"much" else data)
            await writer.drain()
        writer.write(b"bye")
        writer.close()
        await writer.wait_closed()
    except ConnectionError:
        writer.close()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    tasks = set()

    async def connected(_start: bool) -> socket.socket:
        ours, theirs = socket.socketpair()
        streams = await asyncio.open_connection(sock=theirs)
        task = asyncio.create_task(served(*streams))
        tasks.add(task)
        return ours

    yield connected
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)


async def test_many_connections_at_once_and_each_has_a_half_close(connect: Connect) -> None:
    async with carriers(connect) as ends, asyncio.timeout(30):

        async def talk(number: int) -> bytes:
            reader, writer = await asyncio.open_connection(sock=await ends.near.dial())
            for _ in range(20):
                writer.write(b"%03d." % number * 100)
                await writer.drain()
            writer.write_eof()
            said = await reader.read()
            writer.close()
            await writer.wait_closed()
            return said

        said = await asyncio.gather(*(talk(number) for number in range(40)))
        assert said == [b"%03d." % number * 2000 + b"bye" for number in range(40)]


async def test_who_reads_nothing_holds_up_nobody_and_little_piles_up(connect: Connect) -> None:
    async with carriers(connect) as ends, asyncio.timeout(30):
        slow = await asyncio.open_connection(sock=await ends.near.dial(), limit=1024)
        slow[1].write(b"much")
        for _ in range(200):
            reader, writer = await asyncio.open_connection(sock=await ends.near.dial())
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()
            await writer.wait_closed()
        held = sum(len(data) for one in ends.near._carried.values() for data in one._came)
        assert held <= WINDOW
        assert len(await slow[0].readexactly(MUCH)) == MUCH
        slow[1].close()
        await slow[1].wait_closed()


async def test_who_goes_away_in_the_middle_is_forgotten_at_both_ends(connect: Connect) -> None:
    async with carriers(connect) as ends, asyncio.timeout(30):
        for _ in range(20):
            dialled = await ends.near.dial()
            await asyncio.get_running_loop().sock_sendall(dialled, b"much")
            dialled.close()
        while ends.near._carried or ends.far._carried:
            await asyncio.sleep(0.01)
        assert (len(ends.near._mux), len(ends.far._mux)) == (0, 0)


async def test_a_refusal_arrives_with_its_reason() -> None:
    async def nobody(start: bool) -> socket.socket:
        if start:
            raise NoConnectionError("The disk is full.")
        raise FileNotFoundError(2, "No such file or directory")

    async with carriers(nobody) as ends:
        with pytest.raises(NoConnectionError, match=r"^The disk is full\.$"):
            await ends.near.dial(start=True)
        with pytest.raises(NoConnectionError, match=r"^No such file or directory$"):
            await ends.near.dial()


async def test_the_end_of_the_line_is_the_end_of_every_connection(connect: Connect) -> None:
    async with carriers(connect) as ends, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(sock=await ends.near.dial())
        ends.line.close()
        assert await reader.read() == b""
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        with pytest.raises(OSError, match="the connection was closed"):
            await ends.near.dial()


async def test_a_dial_that_nobody_waits_for_any_more_leaves_nothing() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()
    ends_of_it = []

    async def late(_start: bool) -> socket.socket:
        asked.set()
        await go_on.wait()
        ours, theirs = socket.socketpair()
        ends_of_it.append(theirs)
        return ours

    async with carriers(late) as ends, asyncio.timeout(30):
        dialling = asyncio.create_task(ends.near.dial())
        await asked.wait()
        dialling.cancel()
        await asyncio.gather(dialling, return_exceptions=True)
        go_on.set()
        theirs = None
        while theirs is None or ends.far._carried:
            theirs = ends_of_it[0] if ends_of_it else None
            await asyncio.sleep(0.01)
        theirs.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(theirs, 1) == b""
        theirs.close()


async def test_garbage_ends_it_with_an_error_of_ours(connect: Connect) -> None:
    one, other = socket.socketpair()
    streams = await asyncio.open_connection(sock=one)
    carrier = Carrier(*streams, connect)
    other.sendall(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(10):
        with pytest.raises(MuxError, match="not what was agreed on"):
            await carrier.run()
    streams[1].close()
    other.close()
