"""A private daemon is started if none runs, once, and its reason for not starting is shown."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from palaver.client import Client, PalaverError
from palaver.clock import SystemClock
from palaver.launch import Command, ensure_daemon, serve_command
from palaver.paths import socket_path
from support.clock import PATIENCE_S

pytestmark = pytest.mark.process

# Serves /healthz, counts its starts, and refuses a directory in use, like the real daemon.
DAEMON = """
import fcntl, sys
from pathlib import Path
from aiohttp import web
data, socket = Path(sys.argv[1]), sys.argv[2]
with (data / "starts").open("a") as starts:
    starts.write("x")
lock = (data / "lock").open("w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit("palaverd: The data directory is taken.")
async def healthz(request):
    return web.Response()
app = web.Application()
app.router.add_get("/healthz", healthz)
web.run_app(app, path=socket, print=None)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path: a socket's address has room for about a hundred bytes.
    directory = Path(tempfile.mkdtemp(prefix="palaver-test-"))
    yield directory / "data"
    shutil.rmtree(directory)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def running(program: str) -> Command:
    return lambda data_dir, _: [
        sys.executable,
        "-c",
        program,
        str(data_dir),
        str(socket_path(data_dir)),
    ]


async def test_a_daemon_is_started_and_the_next_client_finds_it(
    data_dir: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    for _ in range(2):
        endpoint = await ensure_daemon(
            data_dir,
            config=None,
            clock=SystemClock(),
            command=running(DAEMON),
            started=started.append,
        )
        async with Client(endpoint) as client:
            await client.health()
    assert len(started) == 1
    assert data_dir.stat().st_mode & 0o777 == 0o700


async def test_clients_that_race_start_one_daemon_and_all_connect(
    data_dir: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    racing = (
        ensure_daemon(
            data_dir,
            config=None,
            clock=SystemClock(),
            command=running(DAEMON),
            started=started.append,
        )
        for _ in range(5)
    )
    endpoints = await asyncio.gather(*racing)
    assert len(set(endpoints)) == 1
    assert (data_dir / "starts").read_text() == "x"


async def test_a_rival_that_took_the_directory_is_used(
    data_dir: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    """The socket exists before it accepts: our daemon lost the race and ended."""
    rival = DAEMON.replace(
        "web.run_app",
        "import socket as sockets, time\nsockets.socket(sockets.AF_UNIX).bind(socket)\n"
        "while len((data / 'starts').read_text()) < 2: time.sleep(0.01)\nweb.run_app",
    )
    data_dir.mkdir()
    started.append(subprocess.Popen(running(rival)(data_dir, None)))
    async with asyncio.timeout(PATIENCE_S):
        while not socket_path(data_dir).exists():
            await asyncio.sleep(0.01)
    await ensure_daemon(
        data_dir,
        config=None,
        clock=SystemClock(),
        command=running(DAEMON),
        started=started.append,
    )
    assert started[0].poll() is None
    assert started[1].wait(5) == 1


async def test_a_daemon_that_ends_is_quoted(
    data_dir: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    program = "import sys; print('noise'); sys.exit('palaverd: config.toml: unknown key.')"
    for _ in range(2):
        with pytest.raises(PalaverError, match=r"^The daemon did not start: config.toml: unknown"):
            await ensure_daemon(
                data_dir,
                config=None,
                clock=SystemClock(),
                command=running(program),
                started=started.append,
            )


async def test_a_daemon_that_ends_without_a_word_is_named_with_its_log(
    data_dir: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    with pytest.raises(PalaverError, match=r"ended with status 7; its log is .*palaverd\.log"):
        await ensure_daemon(
            data_dir,
            config=None,
            clock=SystemClock(),
            command=running("raise SystemExit(7)"),
            started=started.append,
        )


async def test_a_directory_that_cannot_be_made_is_named() -> None:
    with pytest.raises(PalaverError, match="/dev/null/data cannot be made: Not a directory"):
        await ensure_daemon(
            Path("/dev/null/data"),
            config=None,
            clock=SystemClock(),
            command=running(DAEMON),
        )


def test_a_missing_daemon_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("palaver.launch.SERVER_MODULES", ("palaverd", "no_such_module"))
    with pytest.raises(PalaverError, match=r"pip install 'palaver\[server\]'"):
        serve_command(Path("/d"), None)


def test_the_command_serves_privately_with_the_configuration() -> None:
    assert serve_command(Path("/d"), Path("/c.toml"))[1:] == [
        *("-m", "palaverd", "serve", "--data-dir", "/d", "--config", "/c.toml", "--private")
    ]
