"""SIGTERM while twenty chats are answered: gone in time, nothing lost, all go on."""

from __future__ import annotations

import asyncio
import signal

import pytest

from palaver.client import ConnectionLost
from palaver.wire.chats import CreateChat
from palaver.wire.events import MessagePartEvent
from palaverd.store.check import check_all
from support.process import place, started

pytestmark = pytest.mark.process

CHATS = 20
GONE_S = 10.0  # what an operator's service manager waits before it kills


async def test_twenty_chats_survive_a_shutdown_in_mid_answer() -> None:
    async with place(rate=100) as data_dir:
        async with started(data_dir) as daemon:
            content = "[[length=150]] tell me"
            sent = await asyncio.gather(
                *(daemon.client.create_chat(CreateChat(content=content)) for _ in range(CHATS))
            )
            ids = [one.chat.id for one in sent]

            async def running() -> int:
                page = await daemon.client.chats(limit=CHATS)
                return sum(chat.status == "running" for chat in page.chats)

            async with asyncio.timeout(30):
                while await running() < CHATS:
                    await asyncio.sleep(0.02)
            async with asyncio.timeout(GONE_S):
                assert await daemon.end(signal.SIGTERM) == 0
        async with started(data_dir) as daemon:
            async with asyncio.timeout(60):
                for chat_id in ids:
                    while (await daemon.client.chat(chat_id)).status != "waiting":
                        await asyncio.sleep(0.05)
            for chat_id in ids:
                page = await daemon.client.messages(chat_id)
                assert [message.role for message in page.messages] == ["assistant", "user"]
            await daemon.end(signal.SIGTERM)
        assert await asyncio.to_thread(check_all, data_dir / "palaver.db") == (CHATS, [])


async def test_a_shutdown_tells_clients_that_they_may_come_back() -> None:
    async with place(rate=20) as data_dir, started(data_dir) as daemon:
        sent = await daemon.client.create_chat(CreateChat(content="[[length=200]] tell me"))
        stream = daemon.client.stream(sent.chat.id)
        try:
            async with asyncio.timeout(30):
                async for batch in stream:
                    if any(isinstance(item, MessagePartEvent) for item in batch):
                        daemon.process.send_signal(signal.SIGTERM)
                    lost = [item for item in batch if isinstance(item, ConnectionLost)]
                    if lost:
                        break
        finally:
            await stream.aclose()
        assert lost[0].reason == "the daemon is going away"
        async with asyncio.timeout(GONE_S):
            assert await daemon.process.wait() == 0


async def test_a_second_signal_ends_the_daemon_at_once() -> None:
    """Both signals wait for a process that is stopped, so that the second one comes in time."""
    async with place() as data_dir, started(data_dir) as daemon:
        daemon.process.send_signal(signal.SIGSTOP)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.send_signal(signal.SIGINT)
        daemon.process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(GONE_S):
            assert await daemon.process.wait() == 1


async def test_a_shutdown_does_not_wait_for_an_import_that_takes_its_time() -> None:
    async with place() as data_dir, started(data_dir, without=["quick_import"]) as daemon:
        async with asyncio.timeout(GONE_S):
            assert await daemon.end(signal.SIGTERM) == 0
