"""Live output: the latency of an event, and the daemon's CPU time per token."""

from __future__ import annotations

import asyncio
import json
import time

from bench.figures import Aim, Effort, Figure, Kind, at_most, percentile
from bench.processes import cpu_seconds, daemon, line, process, provider

RATE = 100.0  # tokens per second of one stream: a fast model
WORDS = 1000  # words of a stream, for latency
# For CPU: a few streams, measured while all of them are running.
STREAMS, WINDOW_S = 5, 6.0
MARGIN_S = 3.0  # that a stream continues after the window, since a busy machine measures late
P50_AIM = Aim(Kind.ADDED_AT_MOST, 1.0)
P99_AIM = Aim(Kind.ADDED_AT_MOST, 5.0)
CPU_AIM = at_most(1.6)


async def latency(effort: Effort) -> list[Figure]:
    """Measure the time from the provider's byte to the client's event, and to the vendor's SDK."""
    asked = f"{effort.count(WORDS, 10)} {RATE:g} 0"
    async with provider() as url, daemon(url) as served:
        theirs = await _ages("bench.direct_reader", url, "sdk", "1", asked)
        mine = await _ages("bench.subscriber", str(served.socket), "1", asked)
    against = "the SDK read directly"
    return [
        Figure(
            f"latency {name}", percentile(mine, part), "ms", percentile(theirs, part), against, aim
        )
        for name, part, aim in (("p50", 0.5, P50_AIM), ("p99", 0.99, P99_AIM))
    ]


async def cpu(effort: Effort) -> list[Figure]:
    """Measure the CPU time per live token, compared with the HTTP client alone.

    The client alone is measured with both transports.
    """
    window = max(0.3, WINDOW_S * effort.scale)
    words = round((window + MARGIN_S) * RATE)
    asked = f"{words} {RATE:g} 0"
    async with provider() as url, daemon(url) as served:
        used = {}
        for how in ("httpx2", "aiohttp"):
            async with process("bench.direct_reader", url, how, str(STREAMS), asked) as reader:
                used[how] = await _cpu_per_token(reader, reader.pid, window)
        arguments = (str(served.socket), str(STREAMS), asked)
        async with process("bench.subscriber", *arguments) as subscriber:
            used["daemon"] = await _cpu_per_token(subscriber, served.pid, window)
    read = used["httpx2"]
    return [
        Figure("CPU per live token", used["daemon"], "us", read, "only reading it", CPU_AIM),
        Figure("only reading, over aiohttp", used["aiohttp"], "us", read, "over httpx2"),
    ]


async def _cpu_per_token(reader: asyncio.subprocess.Process, pid: int, window: float) -> float:
    """Return the microseconds of CPU time of process `pid` per token, while all streams run."""
    await line(reader)
    before, began = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(window)
    used, took = cpu_seconds(pid) - before, time.monotonic() - began
    return used / (STREAMS * RATE * took) * 1e6


async def _ages(*reader: str) -> list[float]:
    """Run a reader to the end; return the age of each word in milliseconds."""
    async with process(*reader) as running:
        await line(running)
        found: list[int] = json.loads(await line(running))
        return [age / 1e6 for age in found]
