"""Start times, compared with that of Python alone: `python -c pass`."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.figures import Effort, Figure, at_most
from bench.processes import CONFIG, environment, ready
from palaver.client import Client, Endpoint

ROUNDS = 7
BIN = Path(sys.executable).parent
PROMPT = "❯".encode()  # before the composer's line: it comes with the first paint
HELP_AIM, PAINT_AIM, READY_AIM = at_most(6), at_most(20), at_most(25)


async def run(effort: Effort) -> list[Figure]:
    """Measure each start in turns, so that noise affects all."""
    with tempfile.TemporaryDirectory(prefix="pv-bench") as name:
        folder = Path(name)
        starts: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: _finish(sys.executable, "-c", "pass"),
            "palaver --help": lambda: _finish(str(BIN / "palaver"), "--help"),
            "daemon to ready": lambda: asyncio.run(_daemon_ready(folder)),
            "client to first paint": lambda: _first_paint(folder),
        }
        taken: dict[str, list[float]] = {what: [] for what in starts}
        await asyncio.to_thread(starts["daemon to ready"])  # creates the database
        for _ in range(effort.count(ROUNDS, 1)):
            for what, start in starts.items():
                taken[what].append(await asyncio.to_thread(start) * 1000)
    base = median(taken.pop("python -c pass"))
    aims = (HELP_AIM, READY_AIM, PAINT_AIM)
    return [
        Figure(what, median(times), "ms", base, "python -c pass", aim)
        for (what, times), aim in zip(taken.items(), aims, strict=True)
    ]


def _finish(*command: str) -> float:
    """Return the seconds until a command has ended."""
    began = time.perf_counter()
    subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


async def _daemon_ready(folder: Path) -> float:
    """Return the seconds until a daemon, whose database exists, responds."""
    config, socket = folder / "config.toml", folder / "d.sock"
    config.write_text(CONFIG.format(url="http://127.0.0.1:9"))
    command = [sys.executable, "-m", "palaverd", "serve", "--data-dir", str(folder / "data")]
    command += ["--config", str(config), "--socket", str(socket)]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
    try:
        async with Client(Endpoint(socket=socket)) as client:
            await ready(client)
            return time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def _first_paint(folder: Path) -> float:
    """Return the seconds until the client has painted. It may still be connecting."""
    parent, child = pty.openpty()
    # No daemon listens there: the first paint does not wait for one.
    command = [str(BIN / "palaver"), "--socket", str(folder / "nobody.sock")]
    environ = environment(TERM="xterm-256color", COLUMNS="100", LINES="30", HOME=str(folder))
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environ, stdin=child, stdout=child, stderr=child, start_new_session=True
    )
    os.close(child)
    try:
        seen = b""
        while PROMPT not in seen:
            seen += os.read(parent, 65536)
        return time.perf_counter() - began
    finally:
        process.kill()
        process.wait()
        os.close(parent)
