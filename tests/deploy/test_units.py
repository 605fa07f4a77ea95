"""The systemd units: valid for systemd, and their commands work under their restrictions."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.answering import answers
from deploy.units import DEPLOY, ROOT, unit
from palaver.client import Client, Endpoint
from palaverd.serve import _LAST_WORD_S, SHUTDOWN_LAST_S
from support.clock import PATIENCE_S
from support.forkserver import fork
from support.process import DaemonProcess, place
from support.require import require
from support.sshd import free_port
from support.tokens import make_token

pytestmark = pytest.mark.process

UNITS = ("palaverd.service", "palaverd-user.service")
PROGRAM = Path(sys.executable).with_name("palaverd")


@asynccontextmanager
async def begun(
    data_dir: Path, command: list[str], **variables: str
) -> AsyncIterator[DaemonProcess]:
    """Run a unit's command in an environment like a service's, until it is stopped."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TESTS_OF_PALAVER": os.environ["TESTS_OF_PALAVER"],
            **variables,
        },
    )
    daemon = DaemonProcess(data_dir, process)
    reading = asyncio.create_task(daemon.read_log())
    try:
        await daemon.ready()
        yield daemon
    finally:
        code = await daemon.end(signal.SIGTERM)
        await reading
        await daemon.client.close()
    assert code == 0, daemon.log


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_the_unit(name: str, tmp_path: Path) -> None:
    require("systemd")
    # Only the paths of programs are replaced; systemd checks that they exist.
    text = (DEPLOY / name).read_text(encoding="utf-8")
    changed = re.sub(r"^ExecStart=\S+", f"ExecStart={PROGRAM}", text, flags=re.MULTILINE)
    assert changed != text
    (tmp_path / name).write_text(changed)
    manager = "--user" if name == "palaverd-user.service" else "--system"
    said = subprocess.run(
        ["systemd-analyze", "verify", manager, "--man=no", str(tmp_path / name)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_the_service_of_a_machine_can_do_little_besides() -> None:
    """By systemd's own exposure level, from 0 (nothing) to 10 (everything)."""
    require("systemd")
    unit_file = str(DEPLOY / "palaverd.service")
    said = subprocess.run(
        # In tenths. What remains is that it may use any address, which it needs.
        ["systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=16", unit_file],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize("name", UNITS)
def test_a_stop_is_given_the_time_that_the_daemon_takes(name: str) -> None:
    asked = unit(name)
    assert float(asked.only("TimeoutStopSec")) > SHUTDOWN_LAST_S + _LAST_WORD_S
    assert asked.only("KillSignal") == "SIGTERM"


async def test_the_service_answers_under_what_its_unit_forbids() -> None:
    """With the unit's system calls, address families and kinds of memory."""
    require("systemd")
    name = "palaverd.service"
    async with place() as data_dir:
        config, port = data_dir / "config.toml", free_port()
        config.write_text(config.read_text() + f'[server]\nlisten = ["127.0.0.1:{port}"]\n')
        command = unit(name).command(
            {
                "/opt/palaver/bin/palaverd": PROGRAM,
                "/var/lib/palaver": data_dir,
                "/etc/palaver/config.toml": config,
            }
        )
        confined = [sys.executable, "-m", "deploy.confined", name, *command]
        async with begun(data_dir, confined, PYTHONPATH=str(ROOT / "tests")):
            token = (await make_token(data_dir / "palaverd.sock")).secret
            async with Client(Endpoint(f"http://127.0.0.1:{port}", token=token)) as client:
                await answers(client)
            process = await asyncio.create_subprocess_exec(
                *(str(PROGRAM), "db", "backup", str(data_dir / "copy.db")),
                env={**os.environ, "PALAVER_DATA_DIR": str(data_dir)},
            )
            assert await process.wait() == 0


async def test_the_service_of_an_account_is_the_one_that_its_client_finds() -> None:
    async with place() as home:
        (home / ".palaver").mkdir()
        (home / ".palaver" / "bin").symlink_to(PROGRAM.parent)
        folder = home / ".config" / "palaver"
        folder.mkdir(parents=True)
        (home / "config.toml").rename(folder / "config.toml")
        command = unit("palaverd-user.service").command({"%h": home})
        data_dir = home / ".local" / "share" / "palaver"
        environment = {"HOME": str(home), "TESTS_OF_PALAVER": os.environ["TESTS_OF_PALAVER"]}
        async with begun(data_dir, command, HOME=str(home)) as daemon:
            client = await fork(
                *("palaver", "daemon", "status", "--json"), stdout=PIPE, environment=environment
            )
            async with asyncio.timeout(PATIENCE_S):
                out, err = await client.communicate()
            assert client.returncode == 0, err
            assert json.loads(out)["pid"] == daemon.process.pid
            await answers(daemon.client)
