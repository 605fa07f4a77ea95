"""The daemon as a real process, and a place for it with a simulator as its model."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from palaver.client import Client, Endpoint, Unreachable
from palaverd.simulator import Simulator
from support.daemon import short_dir

CONFIG = """
default_model = "sonnet"
[providers.anthropic]
kind = "anthropic"
base_url = "{url}"
api_key = "sim"
[models.sonnet]
provider = "anthropic"
model = "sim-large"
"""


class DaemonProcess:
    """One `palaverd serve`."""

    def __init__(self, data_dir: Path, process: asyncio.subprocess.Process) -> None:
        self.data_dir = data_dir
        self.process = process
        self.client = Client(Endpoint(socket=data_dir / "palaverd.sock"))

    async def ready(self) -> None:
        async with asyncio.timeout(30):
            while True:
                try:
                    await self.client.health()
                except Unreachable:
                    assert self.process.returncode is None, "the daemon ended at its start"
                    await asyncio.sleep(0.02)
                else:
                    return

    async def end(self, number: signal.Signals) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(10):
            return await self.process.wait()


async def spawn(
    data_dir: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "palaverd",
        "serve",
        "--data-dir",
        str(data_dir),
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "PALAVER_CONFIG": str(data_dir / "config.toml"),
            **(environment or {}),
        },
    )


@asynccontextmanager
async def started(
    data_dir: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[DaemonProcess]:
    daemon = DaemonProcess(data_dir, await spawn(data_dir, environment=environment))
    # Nobody reads the log here; it must not fill the pipe.
    assert daemon.process.stderr is not None
    reading = asyncio.create_task(daemon.process.stderr.read())
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
