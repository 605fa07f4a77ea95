"""The client's start in a terminal, from `exec` to its first paint and to its first full content.

CPU time of the process, not time on the clock: a busy machine doubles that. Baselines are a bare
Textual application, started in turns with it, and a Python that has imported Textual.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.figures import Aim, Effort, Figure, at_most
from bench.pages import fill, fill_chat
from bench.processes import ANSWER_S, CONFIG, cpu_seconds, environment, process, ready
from palaver.client import Client, Endpoint
from palaver.clock import SystemClock
from palaver.paths import socket_path
from palaverd.store.migrate import migrate
from palaverd.store.sqlite import SqliteDatabase

ROUNDS = 7
ROWS, COLUMNS = 30, 100
CHATS, MESSAGES = 50, 200
BIN = Path(sys.executable).parent
PALAVER = str(BIN / "palaver")
PROMPT = "❯".encode()  # before the composer's line: it comes with the first paint
WELCOME, MODEL = b"What shall we talk about?", b"You are talking to"
# A tenth above what was measured when nothing was loaded any more that a start does not need.
FIRST_AIM, FULL_AIM, ATTACH_AIM = at_most(1.7), at_most(2.5), at_most(2.7)
MEMORY_AIM, IMPORT_AIM = at_most(1.9), at_most(1.7)


@dataclass(frozen=True)
class Start:
    """CPU seconds until the first paint and until the full content, and the memory then, in MiB."""

    first: float
    full: float
    memory: float


async def run(effort: Effort) -> list[Figure]:
    """Measure every start in turns, so that noise affects all."""
    rounds = effort.count(ROUNDS)
    taken: dict[str, list[Start]] = {}
    imports: list[float] = []
    async with _daemon(0, 0) as empty, _daemon(CHATS - 1, effort.count(MESSAGES, 20)) as full:
        newest = f"Chat {CHATS - 2}".encode()
        last = f"Message {effort.count(MESSAGES, 20) - 1}".encode()
        starts: dict[str, tuple[list[str], bytes, list[bytes]]] = {
            "bare": ([sys.executable, "-m", "bench.bare_app"], PROMPT, [WELCOME]),
            "empty": (_palaver(empty), PROMPT, [WELCOME, MODEL]),
            "list": (_palaver(full), PROMPT, [WELCOME, MODEL, newest]),
            "attach": (_palaver(full, "attach", "long"), PROMPT, [newest, last]),
        }
        for _ in range(rounds):
            imports.append(
                await asyncio.to_thread(_cpu_of, sys.executable, "-c", "import textual.app")
            )
            for name, (command, first, complete) in starts.items():
                start = await asyncio.to_thread(_start, command, first, complete)
                taken.setdefault(name, []).append(start)
    firsts = {name: median(start.first for start in some) for name, some in taken.items()}
    fulls = {name: median(start.full for start in some) for name, some in taken.items()}
    memory = {name: median(start.memory for start in some) for name, some in taken.items()}

    def figure(what: str, value: float, base: float, aim: Aim) -> Figure:
        return Figure(what, value * 1000, "ms", base * 1000, "a bare Textual app", aim)

    return [
        figure("client, CPU to the first paint", firsts["empty"], firsts["bare"], FIRST_AIM),
        Figure(
            "client, CPU to the first paint",
            firsts["empty"] * 1000,
            "ms",
            median(imports) * 1000,
            "import textual.app",
            IMPORT_AIM,
        ),
        figure(f"client, CPU to a list of {CHATS}", fulls["list"], fulls["bare"], FULL_AIM),
        figure(
            f"client, CPU to a chat of {MESSAGES} messages",
            fulls["attach"],
            fulls["bare"],
            ATTACH_AIM,
        ),
        Figure(
            "client, memory with a list",
            memory["list"],
            "MiB",
            memory["bare"],
            "a bare Textual app",
            MEMORY_AIM,
        ),
    ]


def _palaver(data_dir: Path, *arguments: str) -> list[str]:
    return [PALAVER, "--data-dir", str(data_dir), *arguments]


@asynccontextmanager
async def _daemon(chats: int, messages: int) -> AsyncIterator[Path]:
    """Run a daemon with so many chats, and one with so many messages; yield its data directory."""
    with tempfile.TemporaryDirectory(prefix="pv-bench") as name:
        data_dir = Path(name)
        database = SqliteDatabase(data_dir / "palaver.db", SystemClock())
        await database.open(migrate)
        if chats:
            await database.write(lambda connection: fill(connection, chats))
            await database.write(lambda connection: fill_chat(connection, "long", messages))
        await database.close()
        config = data_dir / "config.toml"
        config.write_text(CONFIG.format(url="http://127.0.0.1:9"))
        arguments = ("palaverd", "serve", "--data-dir", name, "--config", str(config))
        async with (
            process(*arguments),
            Client(Endpoint(socket=socket_path(data_dir))) as client,
        ):
            await ready(client)
            yield data_dir


def _cpu_of(*command: str) -> float:
    """Return the CPU seconds of a command, from its start to its end."""
    child = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
    _pid, _status, used = os.wait4(child.pid, 0)
    child.returncode = 0
    return used.ru_utime + used.ru_stime


def _start(command: Sequence[str], first: bytes, complete: Sequence[bytes]) -> Start:
    """Start a program in a terminal, measure it until it shows all of `complete`, and end it."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environ = environment(TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
    # Without bytecode it would compile all modules anew; the size is the terminal's.
    for name in ("PYTHONDONTWRITEBYTECODE", "COLUMNS", "LINES"):
        environ.pop(name, None)
    running = subprocess.Popen(
        command, env=environ, stdin=child, stdout=child, stderr=child, start_new_session=True
    )
    os.close(child)
    try:
        seen, first_at = b"", 0.0
        give_up = time.monotonic() + ANSWER_S
        while not all(text in seen for text in (first, *complete)):
            if not select.select([parent], [], [], give_up - time.monotonic())[0]:
                raise TimeoutError(f"{command[0]} has not shown {complete}: {seen[-1000:]!r}")
            seen += os.read(parent, 65536)
            if not first_at and first in seen:
                first_at = cpu_seconds(running.pid)
        return Start(first_at, cpu_seconds(running.pid), _memory_mib(running.pid))
    finally:
        running.kill()
        running.wait()
        os.close(parent)


def _memory_mib(pid: int) -> float:
    """Return the memory that a process shares with none, in MiB (Linux)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = [int(line.split()[1]) for line in lines if line.startswith("Private_")]
    return sum(sizes) / 1024
