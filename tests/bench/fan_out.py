"""Sending one answer to many subscribers, compared with a bare WebSocket loop with the same bytes.

The figure is events per second of the sending process's CPU time, with one event per frame: the
case of a subscriber that keeps up. A slower one gets several events per frame, which is cheaper.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from bench.figures import Aim, Effort, Figure, Kind
from bench.processes import line, process

AIM = Aim(Kind.RATIO_AT_LEAST, 0.8)
SENDS = 60_000  # events times subscribers
SUBSCRIBERS = (1, 100, 1000)


async def run(effort: Effort) -> list[Figure]:
    """Measure each number of subscribers."""
    figures = []
    for readers in SUBSCRIBERS:
        readers = effort.count(readers)
        sends = effort.count(SENDS, 50)
        used = await _send(readers, max(5, min(sends, SENDS // 2) // readers))
        events = max(5, min(sends, SENDS // 2) // readers)
        done = (events // 5 * 5) * readers
        figures.append(
            Figure(
                f"fan-out to {readers:,}: events sent",
                done / used["ours"],
                "/s",
                done / used["bare"],
                "a bare aiohttp WebSocket loop",
                AIM,
            )
        )
    return figures


async def _send(readers: int, events: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="pv-bench") as folder:
        socket = Path(folder) / "s"
        async with process(
            "bench.fan_out_server", str(socket), str(readers), str(events)
        ) as server:
            path = f"/api/v1/chats/{await line(server)}/stream"
            bare = str(socket.with_suffix(".bare"))
            async with (
                process("bench.fan_out_readers", str(socket), path, str(readers)),
                process("bench.fan_out_readers", bare, "/", str(readers)),
            ):
                used: dict[str, float] = json.loads(await line(server))
                return used
