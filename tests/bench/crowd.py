"""A thousand chats that stream at once: the age of a token, memory for each chat, and saturation.

Provider, daemon and clients share the machine's cores.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bench.figures import Aim, Effort, Figure, Kind, percentile
from bench.processes import cpu_seconds, daemon, line, process, provider
from support.memory import resident_mib

CHATS = 1000
RATE = 10.0  # tokens per second of each chat
WINDOW_S = 8.0  # in which all of them stream
START_S = 0.02  # that each chat may take to start, on a busy machine
DIRECT_WORDS = 60
WARM = 50
FAST_RATE, FAST_WORDS = 100.0, 200  # more than two cores can pass on
AGE_AIM = Aim(Kind.VALUE_AT_MOST, 250)
MEMORY_AIM = Aim(Kind.VALUE_AT_MOST, 100)
KIB = 1024


async def run(effort: Effort) -> list[Figure]:
    """Measure a steady rate, and one beyond saturation."""
    chats = effort.count(CHATS, 2)
    window = max(0.5, WINDOW_S * effort.scale)
    async with provider() as url, daemon(url, max_chats=0) as served:
        words = round((chats * START_S + window) * RATE)
        async with reader(served.socket, min(chats, WARM), 5, 0, 0) as first:
            await line(first)  # what the first answers load is not for each chat
            await line(first)
        before = resident_mib(served.pid)
        async with reader(served.socket, chats, words, RATE, window) as steady:
            await line(steady)  # all of them stream
            used, began = cpu_seconds(served.pid), resident_mib(served.pid)
            await asyncio.sleep(window)
            used, grown = (
                cpu_seconds(served.pid) - used,
                max(began, resident_mib(served.pid)) - before,
            )
            calm = json.loads(await line(steady))
        async with reader(served.socket, chats, FAST_WORDS, FAST_RATE, 0) as fast:
            await line(fast)
            full = json.loads(await line(fast))
        asked = f"{effort.count(DIRECT_WORDS, 5)} {RATE:g} 0"
        async with process("bench.direct_reader", url, "sdk", str(chats), asked) as direct:
            await line(direct)
            theirs = [age / 1e6 for age in json.loads(await line(direct))]
    per_second = chats * RATE
    return [
        Figure(
            f"{chats:,} chats x {RATE:g} tokens/s: age of a token, p99",
            percentile(calm["ages"], 0.99),
            "ms",
            percentile(theirs, 0.99),
            "the SDK read directly",
            AGE_AIM,
        ),
        Figure(
            "the same: CPU per 1,000 tokens",
            used / (window * per_second) * 1000,
            "s",
            calm["cpu"],
            "the clients, which look for digits",
        ),
        Figure(
            "the same: memory of the daemon per chat",
            grown / chats * KIB,
            "KiB",
            calm["text"] / KIB,
            "its text",
            MEMORY_AIM,
        ),
        Figure(
            f"{chats:,} chats x {FAST_RATE:g} tokens/s, none lost: tokens in a frame",
            full["tokens"] / full["frames"],
            "",
            calm["tokens"] / calm["frames"],
            f"at {RATE:g} tokens/s",
        ),
    ]


def reader(
    socket: Path, chats: int, words: int, rate: float, window: float, how: str = "chats"
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Run the clients; see `bench.crowd_readers`."""
    request = f"{words} {rate:g} 0"
    return process("bench.crowd_readers", str(socket), how, str(chats), str(window), request)
