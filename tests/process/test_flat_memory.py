"""Many short chats through one daemon process: its memory and its files do not grow.

PALAVER_CHATS sets their number.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from palaver.wire.chats import CreateChat
from support.memory import resident_mib
from support.process import DaemonProcess, place, started

pytestmark = pytest.mark.process

CHATS = int(os.environ.get("PALAVER_CHATS", "300"))
AT_ONCE = 8
# Growth after the first chats by caches and the allocator: SQLite's page cache of several
# connections (2 MB each) and compiled statements.
GROWTH_MIB = 16.0


def open_files(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


async def short_chats(daemon: DaemonProcess, count: int) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with places:
            sent = await daemon.client.create_chat(CreateChat(content=f"[[echo]] {number}"))
            while (await daemon.client.chat(sent.chat.id)).status != "waiting":
                await asyncio.sleep(0.02)

    await asyncio.gather(*map(one, range(count)))


async def test_memory_and_open_files_stay_flat_and_no_lease_is_left() -> None:
    async with place() as data_dir, started(data_dir, forked=False) as daemon:
        process = daemon.process.pid
        await short_chats(daemon, CHATS // 3)
        before = await asyncio.to_thread(lambda: (resident_mib(process), open_files(process)))
        await short_chats(daemon, CHATS - CHATS // 3)
        after = await asyncio.to_thread(lambda: (resident_mib(process), open_files(process)))
        # The figure is the purpose of a long run.
        print(f"{CHATS // 3} chats: {before}; {CHATS} chats: {after} (MiB, files)")  # noqa: T201
        assert after[0] - before[0] < GROWTH_MIB
        assert after[1] <= before[1] + AT_ONCE
        await daemon.end(signal.SIGTERM)
        assert await asyncio.to_thread(_left, data_dir / "palaver.db") == (CHATS, 0, 0)


def _left(path: Path) -> tuple[int, int, int]:
    """Return the number of idle chats, and of leases and partial answers that are left."""
    with closing(sqlite3.connect(path)) as connection:
        [row] = connection.execute(
            "SELECT (SELECT count(*) FROM chats WHERE status = 'waiting'),"
            " (SELECT count(*) FROM leases), (SELECT count(*) FROM partials)"
        )
        return (int(row[0]), int(row[1]), int(row[2]))
