"""Which directory and mode chats get that commands begin or continue."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from palaver.client import Client, Endpoint
from palaver.wire import protocol
from palaver.wire.chats import Info
from palaver.workspaces import NO_WORKSPACE, WantedWorkspace
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from support.daemon import make_daemon, short_dir, simulator_config
from support.forkserver import fork


def info(host: str | None = None, *, private: bool = True) -> Info:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Info("1", 1, now, "/data", list(protocol.CAPABILITIES), private=private, host=host)


def test_only_a_private_daemon_of_this_machine_gets_the_current_directory() -> None:
    current, named = WantedWorkspace("/src"), WantedWorkspace("/src", named=True)
    for about, wanted, path in (
        (info(), current, "/src"),
        (info(private=False), current, None),
        (info("another-machine"), current, None),
        (info("another-machine"), named, "/src"),
        (info(private=False), named, "/src"),
        (info(), NO_WORKSPACE, None),
    ):
        found = wanted.of(about)
        assert (found and found.path) == path


class Shell:
    """Runs `palaver` commands against one daemon, in a directory."""

    def __init__(self, daemon: Daemon, client: Client) -> None:
        self.client = client
        self._socket = str(daemon.socket)

    async def __call__(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        process = await fork("palaver", "--socket", self._socket, *arguments, stdout=PIPE)
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert process.returncode == code, err.decode()
        return out.decode(), err.decode()

    async def begun(self, *arguments: str) -> Any:
        """Begin a chat; return it as `ls --json` lists it."""
        out, _ = await self("run", "[[echo]] hi", *arguments, "--detach")
        listed, _ = await self("ls", "--json")
        chats = [json.loads(line) for line in listed.splitlines()]
        return next(chat for chat in chats if chat["id"] == out.strip())


@asynccontextmanager
async def shell(*, private: bool) -> AsyncIterator[Shell]:
    async with short_dir() as data_dir, Simulator() as simulator:
        daemon = make_daemon(data_dir, simulator_config(simulator.url), private=private)
        await daemon.start()
        try:
            async with Client(Endpoint(socket=daemon.socket)) as client:
                yield Shell(daemon, client)
        finally:
            await daemon.stop()


@pytest.mark.process
async def test_a_chat_works_in_the_directory_that_it_is_begun_in_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path)
    async with shell(private=True) as palaver:
        chat = await palaver.begun()
        assert (chat["workspace"]["path"], chat["mode"]) == (str(tmp_path), "read-only")
        chat = await palaver.begun("--workspace", "inner", "--mode", "full-auto")
        assert (chat["workspace"]["path"], chat["mode"]) == (str(tmp_path / "inner"), "full-auto")
        assert (await palaver.begun("--no-workspace"))["workspace"] is None
        _, said = await palaver("run", "hi", "--workspace", "none-here", code=1)
        assert f"There is no directory {tmp_path}/none-here" in said
        await palaver("run", "hi", "--workspace", "inner", "--no-workspace", code=2)


@pytest.mark.process
async def test_with_a_daemon_that_is_not_private_a_chat_works_only_where_a_person_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shell(private=False) as palaver:
        assert (await palaver.begun())["workspace"] is None
        named = await palaver.begun("--workspace", str(tmp_path))
        assert named["workspace"]["path"] == str(tmp_path)


@pytest.mark.process
async def test_mode_and_workspace_of_a_chat_are_changed_with_a_message_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with shell(private=False) as palaver:
        chat_id = (await palaver.begun())["id"]
        _, said = await palaver("show", chat_id)
        assert "Mode read-only, no workspace." in said
        await palaver("send", chat_id, "go on", "--mode", "full-auto", "--workspace", ".")
        _, said = await palaver("show", chat_id)
        assert f"Mode full-auto, workspace {tmp_path} on " in said
        await palaver("run", "[[echo]] and on", "--chat", chat_id, "--mode", "read-only")
        assert (await palaver.client.chat(chat_id)).mode == "read-only"
        await palaver("run", "hi", "--chat", chat_id, "--no-workspace", code=2)
