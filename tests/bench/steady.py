"""A hundred chats that stream steadily: the daemon's CPU time, compared with a bare loop.

The two take turns, with the same provider and the same clients.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.crowd import reader
from bench.figures import Aim, Effort, Figure, Kind, at_most, percentile
from bench.processes import cpu_seconds, daemon, line, process, provider

CHATS = 100
RATE = 20.0  # tokens per second of each chat: a usual model
WINDOW_S = 5.0
START_S = 0.02  # that each chat may take to start, on a busy machine
MARGIN_S = 2.0  # that a stream continues after the window, since a busy machine measures late
ROUNDS = 3
CPU_AIM = at_most(1.3)
RATE_AIM = Aim(Kind.RATIO_AT_LEAST, 0.99)


class Served(NamedTuple):
    """A process that sends the provider's answers to clients, and how the clients ask for them."""

    pid: int
    socket: Path
    how: str


class Measured(NamedTuple):
    """CPU seconds per 1,000 tokens of a process, and what its clients found."""

    cpu: float
    found: dict[str, Any]


async def run(effort: Effort) -> list[Figure]:
    """Measure both in turn."""
    chats = effort.count(CHATS, 2)
    window = max(0.5, WINDOW_S * effort.scale)
    async with provider() as url, daemon(url, max_chats=0) as ours, bare_relay(url) as bare:
        lanes = {"ours": Served(ours.pid, ours.socket, "chats"), "bare": bare}
        for lane in lanes.values():  # what the first answers load
            await measure(lane, chats, 0.1)
        measured: dict[str, list[Measured]] = {name: [] for name in lanes}
        for _ in range(effort.count(ROUNDS, 1)):
            for name, lane in lanes.items():
                measured[name].append(await measure(lane, chats, window))
    cpu = {name: statistics.median(one.cpu for one in of) for name, of in measured.items()}
    found = {name: [one.found for one in of] for name, of in measured.items()}
    ages = {
        name: percentile([a for f in of for a in f["ages"]], 0.99) for name, of in found.items()
    }
    what = f"{chats} chats x {RATE:g} tokens/s"
    return [
        Figure(
            f"{what}: CPU per 1,000 tokens", cpu["ours"], "s", cpu["bare"], "a bare loop", CPU_AIM
        ),
        Figure("the same: age of a token, p99", ages["ours"], "ms", ages["bare"], "a bare loop"),
        Figure(
            "the same: tokens per second",
            statistics.median(one["per_second"] for one in found["ours"]),
            "",
            chats * RATE,
            "those that the model is to send",
            RATE_AIM,
        ),
    ]


async def measure(lane: Served, chats: int, window: float) -> Measured:
    """Follow `chats` answers; measure while all of them are running."""
    words = round((chats * START_S + window + MARGIN_S) * RATE)
    async with reader(lane.socket, chats, words, RATE, window, lane.how) as clients:
        await line(clients)
        before = cpu_seconds(lane.pid)
        await asyncio.sleep(window)
        used = cpu_seconds(lane.pid) - before
        found = json.loads(await line(clients))
    return Measured(used / (chats * RATE * window) * 1000, found)


@asynccontextmanager
async def bare_relay(url: str) -> AsyncIterator[Served]:
    """Run the bare loop; see `bench.bare_relay`."""
    with tempfile.TemporaryDirectory(prefix="pv-bench") as folder:
        socket = Path(folder) / "s"
        async with process("bench.bare_relay", url, str(socket)) as running:
            await line(running)
            yield Served(running.pid, socket, "bare")
