"""The daemon as a real process, in a directory with a simulator as its model."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from palaver.client import Client, Endpoint, Unreachable
from palaverd.simulator import Simulator
from support.daemon import short_dir
from support.forkserver import ForkedProcess, fork

# With the vendor's SDK that is imported in half the time, as each daemon does after its start.
CONFIG = """
default_model = "sonnet"
[providers.local]
kind = "openai-compatible"
base_url = "{url}/v1"
api_key = "sim"
[models.sonnet]
provider = "local"
model = "sim-large"
"""


Process = asyncio.subprocess.Process | ForkedProcess


class DiedAtStart(Exception):
    """The process ended before it accepted requests."""


class DaemonProcess:
    """One `palaverd serve`."""

    def __init__(self, data_dir: Path, process: Process, socket: Path | None = None) -> None:
        self.data_dir = data_dir
        self.process = process
        self.client = Client(Endpoint(socket=socket or data_dir / "palaverd.sock"))
        self.log: list[dict[str, Any]] = []

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def read_log(self) -> None:
        """Read the daemon's log, so that it never fills the pipe."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            try:
                self.log.append(msgspec.json.decode(line, type=dict[str, Any]))
            except msgspec.DecodeError:
                self.log.append({"event": line.decode(errors="replace")})

    def logged(self, event: str) -> int:
        """Return the number of log lines with the event `event`."""
        return sum(line.get("event") == event for line in self.log)

    async def ready(self) -> None:
        async with asyncio.timeout(30):
            while True:
                try:
                    await self.client.health()
                except Unreachable:
                    if not self.alive:
                        raise DiedAtStart(self.log) from None
                    await asyncio.sleep(0.02)
                else:
                    return

    async def end(self, number: signal.Signals, within_s: float = 10.0) -> int:
        if self.alive:
            self.process.send_signal(number)
        async with asyncio.timeout(within_s):
            return await self.process.wait()


async def spawn(
    data_dir: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    config: Path | None = None,
    forked: bool = True,
) -> Process:
    """Start a daemon; `without` names safeguards to switch off (see `ablated`).

    `forked`: from a process that has imported everything.
    """
    arguments = ("serve", "--data-dir", str(data_dir), *arguments)
    variables = {
        **os.environ,
        "PALAVER_CONFIG": str(config or data_dir / "config.toml"),
        "PYTHONPATH": str(Path(__file__).parent.parent),
        **(environment or {}),
    }
    program = ["support.ablated", *without, "--"] if without else ["palaverd"]
    if forked:
        return await fork(*program, *arguments, environment=variables)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *program, *arguments),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=variables,
    )


@asynccontextmanager
async def started(
    data_dir: Path,
    environment: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    *,
    forked: bool = True,
) -> AsyncIterator[DaemonProcess]:
    """Run a daemon within a `with` block, and kill it if it still runs; see `spawn`."""
    process = await spawn(data_dir, environment=environment, without=without, forked=forked)
    daemon = DaemonProcess(data_dir, process)
    reading = asyncio.create_task(daemon.read_log())
    try:
        await daemon.ready()
        yield daemon
    finally:
        await daemon.end(signal.SIGKILL)
        await reading
        await daemon.client.close()


@asynccontextmanager
async def place(rate: float = 0, config: str = CONFIG) -> AsyncIterator[Path]:
    async with short_dir() as data_dir, Simulator(rate=rate) as simulator:
        (data_dir / "config.toml").write_text(config.format(url=simulator.url))
        yield data_dir
