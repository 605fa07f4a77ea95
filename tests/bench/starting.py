"""Start times, compared with that of Python alone: `python -c pass`.

The first message to a daemon that has just started, and the memory of one that waits for a first
message, are compared with what an SDK takes that is imported whole.
"""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

from bench.figures import Effort, Figure, at_most
from bench.processes import ANSWER_S, CONFIG, cpu_seconds, environment, ready
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from support.memory import resident_mib

ROUNDS = 7
BIN = Path(sys.executable).parent
PROMPT = "❯".encode()  # before the composer's line: it comes with the first paint
HELP_AIM, PAINT_AIM, READY_AIM = at_most(6), at_most(20), at_most(25)
FIRST_AIM, MEMORY_AIM = at_most(0.2), at_most(0.85)
IDLE_S = 0.3  # without CPU time: nothing is loaded any more
# A second provider, which no message needs.
ANOTHER = """\
[providers.another]
kind = "openai-compatible"
base_url = "{url}/v1"
[models.another]
provider = "another"
model = "bench"
"""


async def run(effort: Effort) -> list[Figure]:
    """Measure each start in turns, so that noise affects all."""
    with tempfile.TemporaryDirectory(prefix="pv-bench") as name:
        folder = Path(name)
        starts: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: _finish(sys.executable, "-c", "pass"),
            "import anthropic": lambda: _finish(sys.executable, "-c", "import anthropic"),
            "palaver --help": lambda: _finish(str(BIN / "palaver"), "--help"),
            "daemon to ready": lambda: asyncio.run(_daemon_ready(folder)),
            "client to first paint": lambda: _first_paint(folder),
            "ready to first message at the provider": lambda: asyncio.run(_first_message(folder)),
        }
        taken: dict[str, list[float]] = {what: [] for what in starts}
        await asyncio.to_thread(starts["daemon to ready"])  # creates the database
        for _ in range(effort.count(ROUNDS, 1)):
            for what, start in starts.items():
                taken[what].append(await asyncio.to_thread(start) * 1000)
        held = await _idle_memory(folder)
    whole = await asyncio.to_thread(_memory_of, "import anthropic, openai")
    times = {what: median(each) for what, each in taken.items()}
    python, sdk = "python -c pass", "import anthropic"
    return [
        Figure("palaver --help", times["palaver --help"], "ms", times[python], python, HELP_AIM),
        Figure("daemon to ready", times["daemon to ready"], "ms", times[python], python, READY_AIM),
        Figure(
            "client to first paint",
            times["client to first paint"],
            "ms",
            times[python],
            python,
            PAINT_AIM,
        ),
        Figure(
            "ready to first message at the provider",
            times["ready to first message at the provider"],
            "ms",
            times[sdk],
            sdk,
            FIRST_AIM,
        ),
        Figure(
            "idle daemon, two providers",
            held,
            "MiB",
            whole,
            "import anthropic, openai",
            MEMORY_AIM,
        ),
    ]


def _finish(*command: str) -> float:
    """Return the seconds until a command has ended."""
    began = time.perf_counter()
    subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


class _Daemon:
    """A daemon whose database exists, and a client of it."""

    def __init__(self, process: subprocess.Popen[bytes], client: Client) -> None:
        self.pid = process.pid
        self.client = client


@asynccontextmanager
async def _ready_daemon(folder: Path, url: str = "http://127.0.0.1:9") -> AsyncIterator[_Daemon]:
    """Run a daemon, and yield it as soon as it responds."""
    config, socket = folder / "config.toml", folder / "d.sock"
    config.write_text(CONFIG.format(url=url) + ANOTHER.format(url=url))
    command = [sys.executable, "-m", "palaverd", "serve", "--data-dir", str(folder / "data")]
    command += ["--config", str(config), "--socket", str(socket)]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
    try:
        async with Client(Endpoint(socket=socket)) as client:
            await ready(client)
            yield _Daemon(process, client)
    finally:
        process.terminate()
        process.wait()


async def _daemon_ready(folder: Path) -> float:
    """Return the seconds until a daemon responds."""
    began = time.perf_counter()
    async with _ready_daemon(folder):
        return time.perf_counter() - began


class _Hears(asyncio.Protocol):
    """A provider that notes when the first byte of a request comes."""

    def __init__(self, heard: asyncio.Future[float]) -> None:
        self._heard = heard

    def data_received(self, data: bytes) -> None:
        """Note the time."""
        if not self._heard.done():
            self._heard.set_result(time.perf_counter())


async def _first_message(folder: Path) -> float:
    """Return the seconds from the first message to a ready daemon until the provider has it."""
    heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    server = await asyncio.get_running_loop().create_server(lambda: _Hears(heard), "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        async with _ready_daemon(folder, f"http://{host}:{port}") as daemon:
            began = time.perf_counter()
            await daemon.client.create_chat(CreateChat(content="1 0 0"))
            return await asyncio.wait_for(heard, ANSWER_S) - began


async def _idle_memory(folder: Path) -> float:
    """Return the resident memory in MiB of a daemon that is ready for a first message."""
    async with _ready_daemon(folder) as daemon:
        used = -1.0
        while cpu_seconds(daemon.pid) - used > IDLE_S / 100:
            used = cpu_seconds(daemon.pid)
            await asyncio.sleep(IDLE_S)
        return resident_mib(daemon.pid)


def _memory_of(statement: str) -> float:
    """Return the resident memory in MiB of a Python process after a statement."""
    command = [sys.executable, "-c", f"{statement}\nprint(flush=True)\ninput()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        held = resident_mib(process.pid)
        process.communicate(b"\n")
    return held


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
