"""SIGTERM while twenty chats are answered: it ends in time, loses nothing, and all are resumed."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path
from typing import cast

import pytest

from palaver.client import ConnectionLost
from palaver.wire.chats import CreateChat
from palaver.wire.events import MessagePartEvent
from palaverd.store.check import check_all
from support.process import DaemonProcess, place, started

pytestmark = pytest.mark.process

CHATS = 20
GONE_S = 10.0  # what an operator's service manager waits before it sends SIGKILL
STALLS = "[[silence at=text after=3 times=9]] [[length=9]] hello"


def left_behind(file: Path) -> tuple[list[str | None], int]:
    """Return the runner of each chat, and the number of answers that are saved in part."""
    with closing(sqlite3.connect(file)) as connection:
        runners = [runner for (runner,) in connection.execute("SELECT runner_id FROM chats")]
        [(partials,)] = connection.execute("SELECT count(*) FROM partials")
    return runners, partials


async def shown_and_saved(daemon: DaemonProcess, chat_id: str) -> str:
    """Wait until a part of the answer was shown and saved; return the shown text."""
    shown = ""
    async with asyncio.timeout(30):
        async with aclosing(daemon.client.stream(chat_id)) as stream:
            async for batch in stream:
                shown += "".join(e.delta for e in batch if isinstance(e, MessagePartEvent))
                if shown.count(" ") >= 2:
                    break
        while (await asyncio.to_thread(left_behind, daemon.data_dir / "palaver.db"))[1] == 0:
            await asyncio.sleep(0.02)
    return shown


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
            await shown_and_saved(daemon, ids[0])
            async with asyncio.timeout(GONE_S):
                assert await daemon.end(signal.SIGTERM) == 0
        # Released, not only taken over by the next start; and the shown text is stored.
        runners, partials = await asyncio.to_thread(left_behind, data_dir / "palaver.db")
        assert runners == [None] * CHATS
        assert partials > 0, "what was shown is gone"
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
    """Both signals are pending in a stopped process, so that the second one comes in time."""
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


@asynccontextmanager
async def deaf_client(daemon: DaemonProcess, chat_id: str) -> AsyncIterator[None]:
    """Open a stream and never read from it, as a client stopped with ^Z."""
    reader, writer = await asyncio.open_unix_connection(str(daemon.data_dir / "palaverd.sock"))
    writer.write(
        f"GET /api/v1/chats/{chat_id}/stream HTTP/1.1\r\nHost: localhost\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert b"101" in await reader.readline()
    transport = cast("asyncio.ReadTransport", writer.transport)
    transport.pause_reading()
    try:
        yield
    finally:
        writer.close()


async def test_a_client_that_does_not_read_keeps_no_shutdown_waiting() -> None:
    async with place() as data_dir, started(data_dir) as daemon:
        content = "[[length=60000]] tell me"
        long = (await daemon.client.create_chat(CreateChat(content=content))).chat
        async with deaf_client(daemon, long.id):
            async with asyncio.timeout(30):
                while (await daemon.client.chat(long.id)).status != "waiting":
                    await asyncio.sleep(0.05)
            sent = await daemon.client.create_chat(CreateChat(content=STALLS))
            await shown_and_saved(daemon, sent.chat.id)
            async with asyncio.timeout(GONE_S):
                assert await daemon.end(signal.SIGTERM) == 0
        assert daemon.logged("clients not told") == 1
        runners, partials = await asyncio.to_thread(left_behind, data_dir / "palaver.db")
        assert (runners, partials) == ([None, None], 1)


async def test_a_database_that_somebody_locks_keeps_no_shutdown_waiting() -> None:
    async with place() as data_dir:
        async with started(data_dir) as daemon:
            chats = [await daemon.client.create_chat(CreateChat(content=STALLS)) for _ in range(4)]
            ids = [sent.chat.id for sent in chats]
            shown = [await shown_and_saved(daemon, chat_id) for chat_id in ids]
            file = data_dir / "palaver.db"
            with closing(sqlite3.connect(file, isolation_level=None)) as operator:
                operator.execute("BEGIN IMMEDIATE")  # each write waits five seconds for this lock
                async with asyncio.timeout(GONE_S):
                    await daemon.end(signal.SIGTERM)
                operator.execute("ROLLBACK")
        async with started(data_dir) as daemon:
            # Nothing is lost: they are answered again.
            assert [await shown_and_saved(daemon, chat_id) for chat_id in ids] == shown
            await daemon.end(signal.SIGTERM)
        assert await asyncio.to_thread(check_all, file) == (len(ids), [])
