"""`palaver daemon`: status, stop, restart and reload, as a process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from palaver.client import PalaverError
from palaver.clock import SystemClock
from palaver.daemon_process import STOP_S, Running, find, holder, stop
from palaver.wire.chats import CreateChat, Info
from support.chats import history, reaches
from support.clock import PATIENCE_S, START, ManualClock, result_of, until
from support.here import Ended, Here, somewhere
from support.process import started

pytestmark = pytest.mark.process


def ended(pid: int) -> bool:
    """Return whether a process has ended, also as a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return True  # no /proc to look in
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "ZX"


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    async with somewhere() as found:
        yield found


async def test_without_a_daemon_each_command_says_so_and_starts_none(here: Here) -> None:
    none = f"No daemon runs for {here.data_dir}.\n"
    assert await here("daemon", "status", code=1) == Ended(1, none, "")
    assert await here("daemon", "stop") == Ended(0, "", none)
    assert await here("daemon", "reload", code=1) == Ended(1, "", f"palaver: {none}")
    assert "There is no log" in (await here("daemon", "logs", code=1)).err
    status = await here.status(code=1)
    assert (status["running"], status["pid"], status["data_dir"]) == (
        False,
        None,
        str(here.data_dir),
    )
    socket = str(here.data_dir / "other.sock")
    for command, code in (("status", 1), ("stop", 0), ("restart", 1), ("reload", 1)):
        ended = await here("--socket", socket, "daemon", command, code=code)
        assert f"No daemon runs at {socket}" in ended.out + ended.err
    assert await asyncio.to_thread(holder, here.data_dir) is None


async def test_a_life_of_a_private_daemon(here: Here) -> None:
    assert "None ran; started process" in (await here("daemon", "restart")).err
    first = await here.status()
    assert (first["running"], first["private"], first["models"]) == (True, True, ["sonnet"])
    assert (first["config"], first["config_found"]) == (str(here.config), True)
    shown = (await here("daemon", "status")).out
    assert f"runs as process {first['pid']} since" in shown
    assert "started by a client" in shown

    async with here.client() as client:
        sent = await client.create_chat(CreateChat("[[length=60]] hello"))
        await reaches(client, sent.chat.id, "running")
        anew = await here("daemon", "restart")
        second = await here.status()
        assert f"Stopped process {first['pid']}, started process {second['pid']}." in anew.err
        await reaches(client, sent.chat.id, "waiting")
        roles = [role for role, _ in await history(client, sent.chat.id)]
        assert roles == ["user", "assistant"]

    lines = (await here("daemon", "logs")).out.splitlines()
    assert [line.split()[2:4] for line in lines if "ready" in line] == [["info", "ready"]] * 2
    last = json.loads((await here("daemon", "logs", "--json", "-n", "1")).out)
    assert (last["event"], last["pid"]) == ("ready", second["pid"])

    assert (await here("daemon", "stop")).err.startswith(f"Stopped (process {second['pid']}).")
    assert await asyncio.to_thread(holder, here.data_dir) is None
    assert ended(second["pid"])


async def test_a_chat_in_mid_answer_is_told_at_a_stop_and_goes_on_later(here: Here) -> None:
    await here("daemon", "restart")
    async with here.client() as client:
        sent = await client.create_chat(CreateChat("[[length=200]] hello"))
        await reaches(client, sent.chat.id, "running")
        async with asyncio.timeout(PATIENCE_S):
            while not (await client.info()).working:
                await asyncio.sleep(0.01)
        async with contextlib.aclosing(client.watch()) as batches:
            await anext(batches)
            stopped = await here("daemon", "stop")
    assert stopped.err.splitlines()[0].endswith("1 chat goes on when a daemon runs again.")
    assert stopped.err.splitlines()[1].startswith("A client is open")
    await here("tail", sent.chat.id[:8], "--until-idle")
    async with here.client() as client:
        assert [role for role, _ in await history(client, sent.chat.id)] == ["user", "assistant"]


async def test_a_restart_brings_the_keys_of_the_shell(here: Here) -> None:
    here.config.unlink()
    nothing: dict[str, Any] = {"ANTHROPIC_API_KEY": "", "OPENAI_API_KEY": ""}
    await here("daemon", "restart", **nothing)
    async with here.client() as client:
        setup = (await client.models()).setup
        assert setup is not None
        assert setup.variables == ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]
    assert (await here.status())["models"] == []
    await here("daemon", "restart", **(nothing | {"OPENAI_API_KEY": "k"}))
    assert (await here.status())["models"] == ["gpt", "gpt-mini"]


async def test_a_restart_keeps_the_configuration_that_the_daemon_was_given(here: Here) -> None:
    other = here.data_dir / "other.toml"
    other.write_text(here.config.read_text().replace("models.sonnet", "models.mine"))
    other.write_text(other.read_text().replace('default_model = "sonnet"', ""))
    await here("--config", str(other), "daemon", "restart")
    await here("daemon", "restart")
    status = await here.status()
    assert (status["models"], status["config"]) == (["mine"], str(other))


async def test_reload_says_what_changed_what_cannot_and_what_is_wrong(here: Here) -> None:
    await here("daemon", "restart")
    good = here.config.read_text()
    here.config.write_text(good + "max_output_tokens = 9\n[worker]\nlease_seconds = 60\n")
    told = (await here("daemon", "reload")).err
    # The daemon may have noticed the change by itself, if this took long.
    assert "Now in force: models.sonnet.max_output_tokens." in told or "Nothing has" in told
    assert "Needs `palaver daemon restart`: worker.lease_seconds." in told
    assert (
        "Needs `palaver daemon restart`: worker.lease_seconds."
        in (await here("daemon", "status")).out
    )
    assert json.loads((await here("daemon", "reload", "--json")).out) == {
        "changed": [],
        "restart": ["worker.lease_seconds"],
    }
    here.config.write_text(good.replace('"openai-compatible"', '"openai-compatibel"'))
    said = (await here("daemon", "reload", code=1)).err
    assert said.startswith(f'palaver: {here.config}: providers.local.kind is "openai-compatibel"')
    assert said.removeprefix("palaver: ") in (await here("daemon", "status")).out
    status = await here.status()
    assert status["models"] == ["sonnet"]
    # Nor is a working daemon stopped for a configuration that it could not start with.
    said = (await here("daemon", "restart", code=1)).err
    assert said.startswith(f"palaver: The daemon goes on as it is: {here.config}:")
    assert (await here.status())["pid"] == status["pid"]
    (finding,) = [
        line
        for line in map(json.loads, (await here("doctor", "--json", code=1)).out.splitlines())
        if line["subject"] == "config"
    ]
    assert (finding["state"], "compatibel" in finding["remedy"]) == ("broken", True)


# --- daemons under a service manager --------------------------------------------------------


async def test_a_daemon_that_was_started_by_hand_is_stopped_but_not_started_anew(
    here: Here,
) -> None:
    async with started(here.data_dir) as daemon:
        said = (await here("daemon", "restart", code=1)).err
        assert f"process {daemon.process.pid}) was started by hand" in said
        assert "started by hand" in (await here("daemon", "status")).out
        assert daemon.alive
        assert (await here("daemon", "stop")).code == 0
        async with asyncio.timeout(PATIENCE_S):
            assert await daemon.process.wait() == 0


async def test_a_daemon_of_a_service_manager_is_left_to_it(here: Here) -> None:
    # What systemd sets, by a shell that becomes the daemon, so that the process id fits.
    script = (
        f"SYSTEMD_EXEC_PID=$$ exec {sys.executable} -m palaverd serve --data-dir {here.data_dir}"
    )
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", script),
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PALAVER_CONFIG": str(here.config)},
    )
    try:
        async with here.client() as client, asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(PalaverError):
                    assert (await client.info()).supervisor == "systemd"
                    break
                await asyncio.sleep(0.02)
        for command in ("stop", "restart"):
            said = (await here("daemon", command, code=1)).err
            assert f"(process {process.pid}) is run by systemd" in said
        assert (await here("daemon", "reload")).code == 0
        assert process.returncode is None
    finally:
        process.kill()
        await process.wait()


def running(data_dir: Path, **info: Any) -> Running:
    about = Info("0", 7, START, str(data_dir), [], **info)
    return Running(7, data_dir, about)


@pytest.mark.parametrize(
    ("info", "sentence"),
    [
        ({"supervisor": "systemd", "unit": "palaver.service"}, "systemctl restart palaver.service"),
        ({"supervisor": "systemd", "unit": "--user p.service"}, "systemctl restart --user p.serv"),
        ({"supervisor": "systemd", "unit": ""}, "is run by systemd: restart or stop it there."),
        ({"supervisor": "container"}, "is run by a container: restart or stop that."),
    ],
)
async def test_the_sentence_says_what_to_use(info: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PalaverError) as refused:
        await stop(running(Path("/d"), **info), SystemClock())
    assert sentence in str(refused.value)


# --- daemons that do not end ----------------------------------------------------------------


async def test_a_daemon_that_hangs_is_told_and_killed_only_on_request(here: Here) -> None:
    async with started(here.data_dir) as daemon:
        hung = await find(here.data_dir, None, SystemClock())
        assert hung is not None
        assert hung.pid == daemon.process.pid
        daemon.process.send_signal(signal.SIGSTOP)
        for force in (False, True):
            clock = ManualClock()
            ending = asyncio.create_task(stop(hung, clock, force=force))
            await until(clock.waits)
            assert not ending.done()
            clock.advance(STOP_S + 1)
            if force:
                await result_of(ending, clock, 0.1)
            else:
                with pytest.raises(PalaverError, match=r"has not ended in 12 s\. .*--force"):
                    await ending
                assert daemon.alive
        assert await asyncio.to_thread(holder, here.data_dir) is None


async def test_a_number_that_a_dead_daemon_left_is_nobody(here: Here) -> None:
    async with started(here.data_dir) as daemon:
        pid = daemon.process.pid
        assert await asyncio.to_thread(holder, here.data_dir) == pid
    assert (here.data_dir / "palaverd.lock").read_text().strip() == str(pid)
    assert await asyncio.to_thread(holder, here.data_dir) is None
    assert await find(here.data_dir, None, SystemClock()) is None


async def test_a_daemon_starts_while_somebody_looks_at_its_lock(here: Here) -> None:
    async def look() -> None:
        while True:
            await asyncio.to_thread(holder, here.data_dir)
            await asyncio.sleep(0)

    here.data_dir.joinpath("palaverd.lock").touch()
    looking = asyncio.create_task(look())
    try:
        async with started(here.data_dir) as daemon:
            await daemon.client.health()
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


# --- signals --------------------------------------------------------------------------------


async def test_a_hangup_signal_reads_the_configuration_anew(here: Here) -> None:
    async with started(here.data_dir) as daemon:
        daemon.process.send_signal(signal.SIGHUP)
        await until(lambda: daemon.logged("configuration read") == 1)
        here.config.write_text("nonsense")
        daemon.process.send_signal(signal.SIGHUP)
        await until(lambda: daemon.logged("configuration refused") == 1)
        assert daemon.alive
        assert [m.name for m in (await daemon.client.models()).models] == ["sonnet"]


async def test_a_daemon_whose_terminal_is_gone_ends(here: Here) -> None:
    primary, terminal = os.openpty()
    process = await asyncio.create_subprocess_exec(
        # A new session, with the terminal as its controlling terminal, as a shell does it.
        *("setsid", "--ctty", sys.executable, "-m", "palaverd", "serve"),
        *("--data-dir", str(here.data_dir)),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "PALAVER_CONFIG": str(here.config)},
    )
    os.close(terminal)
    async with here.client() as client, asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(PalaverError):
                await client.health()
                break
            await asyncio.sleep(0.02)
    os.close(primary)
    async with asyncio.timeout(PATIENCE_S):
        assert await process.wait() == 0
