"""Two hundred subscribers of one chat, with and without one that reads a byte a second."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from bench.fan_out_readers import OPENING
from bench.figures import Effort, Figure, at_most, percentile
from bench.processes import DaemonProcess, daemon, line, process, provider

SUBSCRIBERS = 200
RATE, SECONDS = 50.0, 8.0  # tokens per second of one answer
ROUNDS = 5  # with and without it in turn: the machine's load changes
AIM = at_most(1.1)


async def run(effort: Effort) -> list[Figure]:
    """Measure the age of tokens at the others."""
    others = effort.count(SUBSCRIBERS - 1, 2)
    words = effort.count(round(RATE * SECONDS), round(RATE))
    with_it: list[float] = []
    without: list[float] = []
    async with provider() as url, daemon(url) as served:
        await _ages(served, others, round(RATE), slow=False)  # what a first answer loads
        for _ in range(effort.count(ROUNDS, 1)):
            without += await _ages(served, others, words, slow=False)
            with_it += await _ages(served, others, words, slow=True)
    against = "without the slow one"
    return [
        Figure(
            f"{others + 1} subscribers, one reads a byte a second: age of a token, {name}",
            percentile(with_it, part),
            "ms",
            percentile(without, part),
            against,
            aim,
        )
        for name, part, aim in (("p50", 0.5, None), ("p99", 0.99, AIM))
    ]


async def _ages(served: DaemonProcess, others: int, words: int, *, slow: bool) -> list[float]:
    """Return the ages, in milliseconds, of the words of one answer at all its other readers."""
    arguments = (str(served.socket), str(others), f"{words} {RATE:g} 0")
    async with process("bench.audience", *arguments) as audience:
        path = await line(audience)
        async with _slow_one(served.socket, path) if slow else nullcontext():
            ages: list[float] = json.loads(await line(audience))
    return ages


@asynccontextmanager
async def _slow_one(where: Path, path: str) -> AsyncIterator[None]:
    """Follow a chat within the block, reading one byte each second."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, str(where))
        await loop.sock_sendall(connection, OPENING.format(path=path).encode())

        async def read() -> None:
            while await loop.sock_recv(connection, 1):
                await asyncio.sleep(1)

        reading = asyncio.create_task(read())
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.wait({reading})
