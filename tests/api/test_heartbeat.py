"""A silent socket carries a heartbeat every five seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import msgspec
import pytest

from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaver.wire.queue import ChangeChat
from palaverd.api.limits import HEARTBEAT_S
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from support.clock import ManualClock, until
from support.daemon import make_daemon, short_dir, simulator_config


class Told:
    """The events of a socket, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.types: list[str] = []

    async def read(self, until_type: str) -> None:
        while not self.types or self.types[-1] != until_type:
            message = await self.socket.receive(timeout=10)
            self.types += [event["type"] for event in msgspec.json.decode(message.data)]

    @property
    def beats(self) -> int:
        return self.types.count("heartbeat")


@asynccontextmanager
async def told(path: str) -> AsyncIterator[tuple[Daemon, ManualClock, Told, str]]:
    clock = ManualClock()
    config = simulator_config("http://127.0.0.1:1", worker=WorkerConfig(enabled=False))
    async with short_dir() as data_dir, AsyncExitStack() as stack:
        daemon = make_daemon(data_dir, config, clock)
        await daemon.start()
        stack.push_async_callback(daemon.stop)
        client = await stack.enter_async_context(Client(Endpoint(socket=daemon.socket)))
        chat = (await client.create_chat(CreateChat(content="hello"))).chat
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(daemon.socket)))
        )
        url = f"http://localhost/api/v1{path.format(chat=chat.id)}"
        socket = await stack.enter_async_context(session.ws_connect(url))
        yield daemon, clock, Told(socket), chat.id


SOCKETS = {"/chats/{chat}/stream": "caught_up", "/watch": "snapshot"}


@pytest.mark.parametrize("path", SOCKETS)
async def test_the_first_thing_on_a_socket_is_a_heartbeat_and_then_one_each_five_seconds(
    path: str,
) -> None:
    async with told(path) as (_, clock, socket, _):
        await socket.read(SOCKETS[path])
        assert socket.types[0] == "heartbeat"
        for beats in (2, 3, 4):
            clock.advance(HEARTBEAT_S - 0.5)
            clock.advance(0.5)
            await socket.read("heartbeat")
            assert socket.beats == beats
            socket.types.append("")


async def test_an_event_puts_the_next_heartbeat_off_without_another_timer() -> None:
    async with told("/chats/{chat}/stream") as (daemon, clock, socket, chat_id):
        await socket.read("caught_up")
        clock.advance(HEARTBEAT_S - 1)
        async with Client(Endpoint(socket=daemon.socket)) as client:
            await client.change_chat(chat_id, ChangeChat(title="another title"))
            await socket.read("caught_up")
        timers = clock.waits()
        clock.advance(1)  # it finds that something was sent, and waits for the rest
        assert HEARTBEAT_S - 1 in clock.waits()
        assert len(clock.waits()) <= len(timers)
        clock.advance(HEARTBEAT_S - 1.5)
        assert socket.beats == 1
        clock.advance(0.5)
        await socket.read("heartbeat")
        assert socket.beats == 2


async def test_a_socket_that_is_gone_has_no_heartbeat() -> None:
    async with told("/watch") as (daemon, clock, socket, _):
        await socket.read("snapshot")
        assert HEARTBEAT_S in clock.waits()
        await socket.socket.close()
        await until(lambda: len(daemon.sockets) == 0)
        await until(lambda: HEARTBEAT_S not in clock.waits())
