"""A daemon process whose data directory is elsewhere than its socket and configuration."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from support.process import CONFIG, DaemonProcess, Process, spawn

SOCKET = "palaverd.sock"
GONE_S = 15.0  # a daemon on a failing disk may take long to end


@asynccontextmanager
async def served(folder: Path, data_dir: Path, url: str) -> AsyncIterator[DaemonProcess]:
    """Run a daemon on `data_dir` until SIGTERM; it must not log a traceback."""
    process = await _spawn(folder, data_dir, url)
    daemon = DaemonProcess(data_dir, process, folder / SOCKET)
    reading = asyncio.create_task(daemon.read_log())
    try:
        await daemon.ready()
        yield daemon
    finally:
        try:
            await daemon.end(signal.SIGTERM, GONE_S)
        finally:
            if daemon.alive:
                process.kill()
            await reading
            await daemon.client.close()
        assert "Traceback" not in str(daemon.log)


async def refused_start(folder: Path, data_dir: Path, url: str) -> str:
    """Start a daemon that must not start; return the last line of its error."""
    process = await _spawn(folder, data_dir, url)
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    assert process.returncode == 1
    assert b"Traceback" not in said, said.decode()
    return said.decode().strip().splitlines()[-1]


async def _spawn(folder: Path, data_dir: Path, url: str) -> Process:
    config = folder / "config.toml"
    config.write_text(CONFIG.format(url=url))
    return await spawn(
        data_dir, *("--config", str(config), "--socket", str(folder / SOCKET)), config=config
    )
