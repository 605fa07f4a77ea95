"""Many clients beside busy processes: none is refused.

PALAVER_CLIENTS sets the number of clients; one busy process comes with each 25.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest

from palaver.wire.chats import CreateChat
from palaver.wire.events import Heartbeat
from support.clock import PATIENCE_S
from support.process import place, started

pytestmark = pytest.mark.process

CLIENTS = int(os.environ.get("PALAVER_CLIENTS", "25"))
BUSY = CLIENTS // 25
CHATS = 20
TIMES = 3  # that each client connects
HEARTBEAT = msgspec.json.encode([Heartbeat()]).decode()


@asynccontextmanager
async def busy_processes(count: int) -> AsyncIterator[None]:
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            await process.wait()


async def test_no_handshake_is_refused_on_a_busy_machine() -> None:
    outcomes: Counter[str] = Counter()
    async with place() as data_dir, started(data_dir) as daemon, busy_processes(BUSY):
        made = [
            await daemon.client.create_chat(CreateChat(content=f"[[echo]] {number}"))
            for number in range(CHATS)
        ]
        connector = aiohttp.UnixConnector(str(data_dir / "palaverd.sock"), limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def one(number: int) -> None:
                chat_id = made[number % CHATS].chat.id
                for _ in range(TIMES):
                    outcomes[await handshake(session, chat_id)] += 1

            async with asyncio.timeout(2 * PATIENCE_S):
                await asyncio.gather(*map(one, range(CLIENTS)))
    assert outcomes == {"told": CLIENTS * TIMES}


async def handshake(session: aiohttp.ClientSession, chat_id: str) -> str:
    """Connect to a chat's stream; return how that ended."""
    try:
        async with session.ws_connect(f"http://localhost/api/v1/chats/{chat_id}/stream") as stream:
            first = await stream.receive()
            while first.data == HEARTBEAT:
                first = await stream.receive()
    except aiohttp.WSServerHandshakeError as error:
        return str(error.status)
    said = first.data if isinstance(first.data, str) else ""
    return "told" if '"status"' in said else f"{first.type}: {said[:80]}"
