"""Sending one answer to many subscribers, compared with a bare WebSocket loop with the same bytes.

The figure is events per second of the sending thread's CPU time, with one event per frame: the case
of a subscriber that keeps up. A slower one gets several events per frame, which is cheaper.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from bench.figures import Aim, Effort, Figure, Kind
from bench.processes import line, process

AIM = Aim(Kind.RATIO_AT_LEAST, 0.9)
SENDS = 60_000  # events times subscribers
MOST_EVENTS = 10_000
SUBSCRIBERS = (1, 100, 1000)


async def run(effort: Effort) -> list[Figure]:
    """Measure each number of subscribers."""
    figures = []
    for readers in SUBSCRIBERS:
        readers = effort.count(readers)
        events = max(5, min(effort.count(SENDS, 50) // readers, effort.count(MOST_EVENTS)))
        used = await _send(readers, events)
        rates = {name: events * readers / seconds for name, seconds in used.items()}
        figures += [
            Figure(
                f"fan-out to {readers:,}: events sent",
                rates["ours"],
                "/s",
                rates["bare"],
                "a bare aiohttp WebSocket loop",
                AIM,
            ),
            Figure(
                f"the same by picows in C, over TCP: {readers:,}",
                rates["picows"],
                "/s",
                rates["bare_tcp"],
                "aiohttp over TCP",
            ),
        ]
    return figures


async def _send(readers: int, events: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="pv-bench") as folder:
        socket = Path(folder) / "s"
        async with process(
            "bench.fan_out_server", str(socket), str(readers), str(events)
        ) as server:
            path, *ports = json.loads(await line(server))
            bare = str(socket.with_suffix(".bare"))
            async with AsyncExitStack() as stack:
                for where, asked in [
                    (str(socket), path),
                    *((each, "/") for each in (bare, *ports)),
                ]:
                    await stack.enter_async_context(
                        process("bench.fan_out_readers", where, asked, str(readers))
                    )
                used: dict[str, float] = json.loads(await line(server))
                return used
