"""Daemon, provider and readers as separate processes, and the CPU time that they use."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from palaver.client import Client, Endpoint, Unreachable
from palaverd.config.defaults import MAX_CHATS

TESTS = Path(__file__).resolve().parents[1]
ANSWER_S = 120.0  # timeout for a line or a response of a process, on a busy machine
POLL_S = 0.01

CONFIG = """\
default_model = "bench"
[providers.anthropic]
kind = "anthropic"
base_url = "{url}"
api_key = "bench"
[models.bench]
provider = "anthropic"
model = "bench"
"""


def environment(**more: str) -> dict[str, str]:
    """Return environment variables with which the benchmarks can be imported, without PALAVER_*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PALAVER_")}
    return kept | {"PYTHONPATH": str(TESTS)} | more


async def start(*arguments: str) -> asyncio.subprocess.Process:
    """Start a Python module with pipes."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # A daemon's log is discarded; the others show their errors.
        stderr=asyncio.subprocess.DEVNULL if arguments[0] == "palaverd" else None,
        cwd=TESTS,
        env=environment(),
        limit=64 * 1024 * 1024,
    )


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a Python module with pipes; terminate it at the end of the block."""
    running = await start(*arguments)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(running.wait(), 10)
            except TimeoutError:
                running.kill()
                await running.wait()


async def line(running: asyncio.subprocess.Process) -> str:
    """Return the next line that a process prints."""
    assert running.stdout is not None
    async with asyncio.timeout(ANSWER_S):
        return (await running.stdout.readline()).decode().strip()


async def tell(running: asyncio.subprocess.Process, text: str) -> None:
    """Write a line to a process's stdin."""
    assert running.stdin is not None
    running.stdin.write(text.encode() + b"\n")
    await running.stdin.drain()


@asynccontextmanager
async def provider() -> AsyncIterator[str]:
    """Run the provider, and yield its URL."""
    async with process("bench.provider") as running:
        yield await line(running)


class DaemonProcess:
    """A daemon that is ready, and a client of it."""

    def __init__(self, pid: int, socket: Path, client: Client) -> None:
        self.pid = pid
        self.socket = socket
        self.client = client


@asynccontextmanager
async def daemon(url: str, max_chats: int = MAX_CHATS) -> AsyncIterator[DaemonProcess]:
    """Run a daemon whose only provider is at `url`; see `max_chats` of its configuration."""
    with tempfile.TemporaryDirectory(prefix="pv-bench") as name:
        folder = Path(name)
        config, socket = folder / "config.toml", folder / "palaverd.sock"
        worker = f"[worker]\nmax_chats = {max_chats}\n"
        config.write_text(CONFIG.format(url=url) + worker)
        where = ("--data-dir", name, "--config", str(config), "--socket", str(socket))
        async with (
            process("palaverd", "serve", *where) as running,
            Client(Endpoint(socket=socket)) as client,
        ):
            await ready(client)
            yield DaemonProcess(running.pid, socket, client)


async def ready(client: Client) -> None:
    """Wait until a daemon responds."""
    async with asyncio.timeout(ANSWER_S):
        while True:
            try:
                await client.health()
            except Unreachable:
                await asyncio.sleep(POLL_S)
            else:
                return


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that all threads of a process have used, to the nanosecond (Linux)."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((t / "schedstat").read_text().split()[0]) for t in threads) / 1e9
