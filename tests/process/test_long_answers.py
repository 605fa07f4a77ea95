"""Answers of 200 KB through one daemon: their memory is freed.

PALAVER_ANSWERS sets their number, fifty in a chat. Each request contains all that was said before:
the last of fifty has a prompt of 20 MB.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE

import pytest

from palaver.wire.chats import CreateChat, SendMessage
from support.chats import reaches
from support.clock import PATIENCE_S
from support.memory import resident_mib
from support.process import place, started

pytestmark = pytest.mark.process

ANSWERS = int(os.environ.get("PALAVER_ANSWERS", "3"))
IN_A_CHAT = 50
LONG = "words 1 " * 25_000  # 200 KB
GROWTH_MIB = 32.0
REST_S = 60.0

HOLES = """
from pathlib import Path
from palaverd.platform.memory import give_back
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])
blocks = [bytearray(8_000) for _ in range(10_000)]
kept = blocks[::50]  # between them everything is free
del blocks
held = resident()
give_back()
print(held, resident())
"""


async def test_a_daemon_is_as_small_after_long_answers_as_before() -> None:
    async with place() as data_dir, started(data_dir) as daemon:
        pid, client = daemon.process.pid, daemon.client
        sent = await client.create_chat(CreateChat(content="[[echo]] hello"))
        await reaches(client, sent.chat.id, "waiting")
        before = await asyncio.to_thread(resident_mib, pid)
        for number in range(ANSWERS):
            if number and number % IN_A_CHAT == 0:
                sent = await client.create_chat(CreateChat(content="[[echo]] hello"))
                await reaches(client, sent.chat.id, "waiting")
            await client.send(sent.chat.id, SendMessage(content=f"[[echo]] {number} {LONG}"))
            await reaches(client, sent.chat.id, "waiting")
        most = after = await asyncio.to_thread(resident_mib, pid)
        async with asyncio.timeout(REST_S):
            while after - before > GROWTH_MIB:
                await asyncio.sleep(1)
                after = await asyncio.to_thread(resident_mib, pid)
        # The figures are the purpose of a long run.
        print(f"{ANSWERS} answers: {before:.0f}, {most:.0f}, {after:.0f} MiB")  # noqa: T201


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_what_is_free_between_what_is_kept_is_given_back() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLES, stdout=PIPE)
    async with asyncio.timeout(PATIENCE_S):
        out, _ = await process.communicate()
    held, left = map(int, out.split())
    assert left < held / 2
