"""A silent connection is given up, and only a silent one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random

import msgspec
import pytest
from aiohttp import web

from client.protocol_server import (
    ProtocolServer,
    answer,
    chat,
    listen,
    protocol_server,
    say,
    versions,
)
from client.test_client import Following, backing_off
from palaver.client import Client, Connected, ConnectionLost, Unreachable
from palaver.client.limits import SILENCE_S
from palaver.wire.chats import ChatPage
from palaver.wire.events import CaughtUp, Heartbeat, StatusEvent
from support.clock import START, ManualClock, until

NAMES = ["/api/v1/chats/c1/stream", "/api/v1/watch"]


@pytest.fixture
async def server() -> AsyncIterator[ProtocolServer]:
    async with protocol_server() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(server: ProtocolServer, clock: ManualClock) -> AsyncIterator[Client]:
    async with Client(server.endpoint, clock=clock, random=Random(1)) as opened:
        yield opened


async def beats(socket: web.WebSocketResponse) -> None:
    await say(socket, Heartbeat())
    await listen(socket)


def expected(clock: ManualClock) -> bool:
    """Return whether a heartbeat was received, so that more are expected."""
    return SILENCE_S in clock.waits()


@pytest.mark.parametrize("which", ["stream", "watch"])
async def test_twelve_seconds_of_silence_are_the_end_of_a_connection_and_it_is_made_again(
    which: str, server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    server.conversations += [beats, beats]
    following = Following(client.stream("c1") if which == "stream" else client.watch())
    await until(lambda: expected(clock))
    clock.advance(SILENCE_S - 0.1)
    clock.advance(0.1)
    await until(lambda: backing_off(clock))
    lost = following.items[-1]
    assert isinstance(lost, ConnectionLost)
    # The time of the last byte, not the time at which silence was noticed.
    assert (lost.reason, lost.since) == ("nothing was heard of the daemon any more", START)
    clock.advance(lost.retry_in)
    await until(lambda: len(server.requests) == 2)
    await until(lambda: following.items[1:] == [lost, Connected()])
    await following.stop()


async def test_heartbeats_keep_a_quiet_connection_and_are_told_to_nobody(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    more = asyncio.Event()

    async def quiet(socket: web.WebSocketResponse) -> None:
        while True:
            await say(socket, Heartbeat())
            await more.wait()
            more.clear()

    server.conversations.append(quiet)
    following = Following(client.stream("c1"))
    await until(lambda: expected(clock))
    for _ in range(10):
        clock.advance(SILENCE_S - 1)
        more.set()
        await until(lambda: not more.is_set())
        await until(lambda: socket_of(client).heard_at == clock.monotonic())
    assert following.items == [Connected()]
    await following.stop()


def socket_of(client: Client):  # type: ignore[no-untyped-def]
    (live,) = client._live
    return live._socket


async def test_a_daemon_that_sends_no_heartbeats_is_never_given_up(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    """As an older daemon, which has none."""

    async def old(socket: web.WebSocketResponse) -> None:
        await say(socket, CaughtUp(4))
        await listen(socket)

    server.conversations.append(old)
    following = Following(client.stream("c1"))
    await until(lambda: CaughtUp(4) in following.items)
    for _ in range(10):
        clock.advance(SILENCE_S)
        assert not socket_of(client).closed
    assert following.items == [Connected(), CaughtUp(4)]
    await following.stop()


async def test_a_long_message_on_a_slow_line_is_no_silence(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    """It arrives in pieces, over more than twelve seconds, with no heartbeat in between."""
    title = "x" * 60_000
    event = StatusEvent("waiting", versions(), title)
    payload = msgspec.json.encode([event])
    frame = bytes((0x81, 126)) + len(payload).to_bytes(2, "big") + payload
    go_on = asyncio.Event()

    async def slow(socket: web.WebSocketResponse) -> None:
        await say(socket, Heartbeat())
        assert socket._req is not None
        transport = socket._req.transport
        assert transport is not None
        for begin in range(0, len(frame), 20_000):
            await go_on.wait()
            go_on.clear()
            transport.write(frame[begin : begin + 20_000])
        await listen(socket)

    server.conversations.append(slow)
    following = Following(client.stream("c1"))
    await until(lambda: expected(clock))
    for _ in range(0, len(frame), 20_000):
        clock.advance(SILENCE_S - 1)
        go_on.set()
        await until(lambda: socket_of(client).heard_at == clock.monotonic())
    await until(lambda: event in following.items)
    assert following.items == [Connected(), event]
    await following.stop()


async def test_a_reader_that_takes_its_time_hears_no_silence_in_it(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    server.conversations.append(beats)
    stream = client.stream("c1")
    assert await anext(stream) == [Connected()]
    reading = asyncio.ensure_future(anext(stream))
    await until(lambda: expected(clock))
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await stream.aclose()

    server.conversations.append(busy := Busy())
    stream = client.stream("c1")
    assert await anext(stream) == [Connected()]
    assert await anext(stream) == [CaughtUp(1)]
    for _ in range(3):  # the reader is busy
        clock.advance(SILENCE_S)
    busy.go_on.set()
    assert await anext(stream) == [CaughtUp(2)]
    await stream.aclose()


class Busy:
    """Sends a heartbeat with an event, and another event on request."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, socket: web.WebSocketResponse) -> None:
        await say(socket, Heartbeat(), CaughtUp(1))
        await self.go_on.wait()
        await say(socket, CaughtUp(2))
        await listen(socket)


async def test_what_went_the_way_of_a_silent_connection_is_not_waited_for(
    server: ProtocolServer, client: Client, clock: ManualClock
) -> None:
    """A request on the same connection would wait until its deadline, and so would the outbox."""
    asked = asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    server.routes["GET", "/api/v1/chats/c1"] = never
    server.conversations += [beats, beats]
    following = Following(client.stream("c1"))
    await until(lambda: expected(clock))
    request = asyncio.ensure_future(client.chat("c1"))
    await asked.wait()
    clock.advance(SILENCE_S)
    with pytest.raises(Unreachable):
        await request
    await until(lambda: backing_off(clock))
    clock.advance(clock.waits()[0])
    await until(lambda: following.items[-1] == Connected())

    async def page(_: web.Request) -> web.Response:
        return answer(ChatPage([chat()]))

    server.routes["GET", "/api/v1/chats"] = page
    assert len((await client.chats()).chats) == 1
    await following.stop()
