"""A `palaverd serve` process of its own, and the simulator that it asks."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from palaver.client import Client, Endpoint, Unreachable

SOCKET = "palaverd.sock"
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


class Served:
    """A running daemon, a client of it, and what it logged."""

    def __init__(self, process: asyncio.subprocess.Process, client: Client) -> None:
        self.process = process
        self.client = client

    @property
    def alive(self) -> bool:
        return self.process.returncode is None


@asynccontextmanager
async def served(folder: Path, data_dir: Path, url: str) -> AsyncIterator[Served]:
    """Run a daemon on `data_dir`; its socket and configuration stand in `folder`."""
    process = await _spawn(folder, data_dir, url)
    assert process.stderr is not None
    # Nobody else reads the log; it must not fill the pipe.
    reading = asyncio.create_task(process.stderr.read())
    try:
        async with Client(Endpoint(socket=folder / SOCKET)) as client:
            await _ready(process, client)
            yield Served(process, client)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(15):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            log = await reading
        assert b"Traceback" not in log, log.decode()


async def refused_start(folder: Path, data_dir: Path, url: str) -> str:
    """Start a daemon that must not start; return its last sentence."""
    process = await _spawn(folder, data_dir, url)
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    assert process.returncode == 1
    assert b"Traceback" not in said, said.decode()
    return said.decode().strip().splitlines()[-1]


async def _spawn(folder: Path, data_dir: Path, url: str) -> asyncio.subprocess.Process:
    config = folder / "config.toml"
    config.write_text(CONFIG.format(url=url))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "palaverd", "serve"),
        *("--data-dir", str(data_dir), "--config", str(config), "--socket", str(folder / SOCKET)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PALAVER_CONFIG": str(config)},
    )


async def _ready(process: asyncio.subprocess.Process, client: Client) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await client.health()
            except Unreachable:
                assert process.returncode is None, "the daemon ended at its start"
                await asyncio.sleep(0.02)
            else:
                return
