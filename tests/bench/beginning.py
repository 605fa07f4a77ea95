"""Many chats started at once: the daemon's CPU time for each, and how late their tokens are."""

from __future__ import annotations

import asyncio
import json
import statistics

from bench.figures import Aim, Effort, Figure, Kind, at_most, percentile
from bench.processes import cpu_seconds, daemon, line, process, provider

CHATS = 100
ROUNDS = 4
SHORT = "3 20 0"  # words, words per second, seconds before the first one
LONG = "60 20 0"
SETTLE_S = 0.5  # for what the daemon does after the last event
# A chat is also stored, acquired, committed four times and followed by a client.
CPU_AIM = at_most(4.0)
AGE_AIM = Aim(Kind.ADDED_AT_MOST, 40.0)


async def run(effort: Effort) -> list[Figure]:
    """Start chats at once, in turn with the vendor's SDK, which reads as many streams."""
    rounds = effort.count(ROUNDS, 1)
    chats = effort.count(CHATS, 5)
    mine: list[float] = []
    theirs: list[float] = []
    ages: dict[str, list[float]] = {"daemon": [], "sdk": []}
    async with provider() as url, daemon(url, max_chats=0) as served:
        arguments = (str(served.socket), str(chats), SHORT)
        await _read("bench.subscriber", *arguments)  # imports, connections
        for _ in range(rounds):
            before = cpu_seconds(served.pid)
            await _read("bench.subscriber", *arguments)
            await asyncio.sleep(SETTLE_S)
            mine.append((cpu_seconds(served.pid) - before) / chats * 1000)
            _, cpu = await _read("bench.direct_reader", url, "sdk", str(chats), SHORT)
            theirs.append(cpu / chats * 1000)
        for how, reader in (
            ("daemon", ("bench.subscriber", str(served.socket), str(chats), LONG)),
            ("sdk", ("bench.direct_reader", url, "sdk", str(chats), LONG)),
        ):
            ages[how], _ = await _read(*reader)
    late, early = percentile(ages["daemon"], 0.99), percentile(ages["sdk"], 0.99)
    against = "the SDK reading as many streams"
    return [
        Figure(
            f"CPU per chat of {chats} at once",
            statistics.median(mine),
            "ms",
            statistics.median(theirs),
            against,
            CPU_AIM,
        ),
        Figure(f"age of a token of {chats} at once, p99", late, "ms", early, against, AGE_AIM),
    ]


async def _read(*reader: str) -> tuple[list[float], float]:
    """Run a reader; return the ages of its words in milliseconds, and its CPU time in seconds."""
    async with process(*reader) as running:
        await line(running)
        found: list[int] = json.loads(await line(running))
        return [age / 1e6 for age in found], float(await line(running))
