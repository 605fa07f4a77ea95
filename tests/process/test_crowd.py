"""Clients that connect at the same moment, while the daemon accepts none: all are served.

PALAVER_CROWD sets their number. They are no clients of ours, which would wait for room in the
backlog of a socket: asyncio takes a refused connection for a connected one.
"""

from __future__ import annotations

import asyncio
import os
import signal

import aiohttp
import msgspec
import pytest

from palaver.wire.chats import CreateChat, Sent
from palaver.wire.events import CaughtUp, Heartbeat, StatusEvent, StreamEvent
from palaverd.api.limits import BACKLOG, CONNECTIONS, STREAMS_PER_OWNER
from palaverd.platform.descriptors import allow
from support.clock import PATIENCE_S, until
from support.process import place, started

CROWD = int(os.environ.get("PALAVER_CROWD", "100"))
EACH_S = 0.1  # a creation takes 35 ms of CPU on a slow machine; others are busy as well
BASE = "http://localhost/api/v1/chats"

_events = msgspec.json.Decoder(list[StreamEvent | Heartbeat])


def test_what_may_be_open_may_also_wait_to_be_accepted() -> None:
    assert STREAMS_PER_OWNER < CONNECTIONS <= BACKLOG


@pytest.mark.process
async def test_all_clients_that_connect_at_once_are_served() -> None:
    """Half of them create a chat and follow it, half follow one that is there."""
    allow(2 * CROWD + 256)
    async with place() as data_dir, started(data_dir) as daemon:
        known = (await daemon.client.create_chat(CreateChat(content="[[echo]] hello"))).chat.id
        daemon.process.send_signal(signal.SIGSTOP)  # all of them wait in the backlog
        connector = aiohttp.UnixConnector(str(data_dir / "palaverd.sock"), limit=0)
        served: list[asyncio.Task[str]] = []
        connected, noting = noted_connections()
        all_told = asyncio.Barrier(CROWD)  # with every stream open
        async with (
            aiohttp.ClientSession(connector=connector, trace_configs=[noting]) as session,
            asyncio.timeout(PATIENCE_S + EACH_S * CROWD),
            asyncio.TaskGroup() as group,
        ):
            for number in range(CROWD):
                one = created if number % 2 else told
                served.append(group.create_task(one(session, known, all_told)))
            await until(lambda: len(connected) == CROWD)
            daemon.process.send_signal(signal.SIGCONT)
        assert len({one.result() for one in served}) == 1 + CROWD // 2
        assert daemon.logged("connection refused: all that may be are at work") == 0


def noted_connections() -> tuple[list[object], aiohttp.TraceConfig]:
    """Return a list that gets an entry for each connection of a session with these traces."""
    connected: list[object] = []

    async def note(_session: object, _context: object, made: object) -> None:
        connected.append(made)

    noting = aiohttp.TraceConfig()
    noting.on_connection_create_end.append(note)
    return connected, noting


async def created(session: aiohttp.ClientSession, known: str, all_told: asyncio.Barrier) -> str:
    """Create a chat like the one that is known, and follow it; return its id."""
    asked = msgspec.json.encode(CreateChat(content=f"[[echo]] as {known}"))
    headers = {"Content-Type": "application/json"}
    async with session.post(BASE, data=asked, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        made = msgspec.json.decode(await answer.read(), type=Sent).chat.id
    return await told(session, made, all_told)


async def told(session: aiohttp.ClientSession, chat_id: str, all_told: asyncio.Barrier) -> str:
    """Follow a chat until everything of it was sent, to all of them; return its id."""
    seen: set[type] = set()
    async with session.ws_connect(f"{BASE}/{chat_id}/stream") as stream:
        while CaughtUp not in seen:
            message = await stream.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, message
            seen |= {type(event) for event in _events.decode(message.data)}
        await all_told.wait()
    assert StatusEvent in seen
    return chat_id
