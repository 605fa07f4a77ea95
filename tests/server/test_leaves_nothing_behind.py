"""Many short chats, watched or not: in the end nothing is left in memory but the database.

PALAVER_CHATS sets their number; the daemon's memory is measured in
tests/process/test_flat_memory.py.
"""

from __future__ import annotations

import asyncio
import os

from sqlalchemy import func, select

from palaver.client import Client, Connected, ConnectionLost
from palaver.wire.chats import CreateChat
from palaver.wire.events import CaughtUp, StatusEvent
from palaverd.daemon import Daemon
from palaverd.store.tables import leases, partials
from palaverd.stream.registry import LINGER_S
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import running_pair

CHATS = int(os.environ.get("PALAVER_CHATS", "40"))


async def watch_to_the_end(client: Client, chat_id: str) -> None:
    stream = client.stream(chat_id)
    resting = False
    async for items in stream:
        for item in items:
            if isinstance(item, Connected | ConnectionLost):
                continue
            if isinstance(item, StatusEvent):
                resting = item.status == "waiting"
            if resting and isinstance(item, CaughtUp):
                await stream.aclose()
                return


async def nothing_runs(daemon: Daemon) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while daemon.worker.running or len(daemon.sockets):
            await asyncio.sleep(0.01)


async def test_short_chats_leave_no_task_no_lease_and_no_episode() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):
        await until(lambda: daemon.hub.subscriptions == 2)  # the acquisition's, the commands'
        await client.info()
        tasks = len(asyncio.all_tasks())
        for number in range(CHATS):
            sent = await client.create_chat(CreateChat(content=f"[[echo]] {number}"))
            if number % 2:
                await watch_to_the_end(client, sent.chat.id)
        await nothing_runs(daemon)
        assert len(daemon.episodes) > 0
        clock.advance(LINGER_S)
        assert len(daemon.episodes) == 0
        assert daemon.hub.subscriptions == 2
        await until(lambda: len(asyncio.all_tasks()) <= tasks + 2)  # idle connections aside
        for table in (leases, partials):
            count = select(func.count()).select_from(table)
            assert await daemon.database.read(lambda c: c.execute(count).scalar()) == 0  # noqa: B023


async def test_looking_at_idle_chats_keeps_nothing() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] x"))
        await watch_to_the_end(client, sent.chat.id)
        await nothing_runs(daemon)
        clock.advance(LINGER_S)
        for _ in range(3):
            await watch_to_the_end(client, sent.chat.id)
            await nothing_runs(daemon)
            assert len(daemon.episodes) == 0
