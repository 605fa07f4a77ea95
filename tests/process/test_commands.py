"""kill -9 of the daemon around a command: it runs at most once, and the chat goes on by itself.

Each command writes its mark. The daemon is killed at every point of its call; in the end the mark
is there once at most, the turn has ended, and no process is left.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from palaver.client import PalaverError
from palaver.wire.chats import ChosenWorkspace, CreateChat, Interrupt
from palaver.wire.messages import ToolResult
from palaver.wire.queue import ChangeChat
from palaverd.crashpoints import VARIABLE
from palaverd.store.check import check_all
from process.crash import CONFIG, rest
from support.clock import PATIENCE_S
from support.process import DaemonProcess, place, started
from tools.running_commands import eventually, runs

pytestmark = pytest.mark.process

# It ends by itself, or when the test says so.
MARKS = "echo $$ >> mark; echo shown; until test -e go; do sleep 0.01; done; echo end"


class Story(msgspec.Struct, frozen=True):
    """A data directory, with a workspace in it."""

    data_dir: Path

    @property
    def root(self) -> Path:
        return self.data_dir / "root"

    @property
    def marks(self) -> list[str]:
        path = self.root / "mark"
        return path.read_text().split() if path.exists() else []

    def call_file(self, name: str) -> bool:
        """Whether the call has a file."""
        return bool(list((self.data_dir / "calls").glob(f"*/*/{name}")))

    async def ask(self, daemon: DaemonProcess, command: str, **given: object) -> str:
        """Ask for a command; return the chat's id."""
        values = {"command": command, "timeout": PATIENCE_S, **given}
        whole = json.dumps(values, separators=(",", ":"))
        arguments = whole.replace(" ", r"\u0020")  # a directive has no blanks in a value
        sent = await daemon.client.create_chat(
            CreateChat(
                content=f"[[tool=execute args={arguments}]] run",
                workspace=ChosenWorkspace(path=str(self.root)),
                mode="full-auto",
            ),
            key="first",
        )
        return sent.chat.id


@asynccontextmanager
async def story() -> AsyncIterator[Story]:
    async with place(config=CONFIG) as data_dir:
        (data_dir / "root").mkdir()
        yield Story(data_dir)


async def died(daemon: DaemonProcess) -> None:
    async with asyncio.timeout(PATIENCE_S):
        assert await daemon.process.wait() == -signal.SIGKILL


async def result(daemon: DaemonProcess, chat_id: str) -> ToolResult:
    async with asyncio.timeout(PATIENCE_S):
        assert (await rest(daemon, chat_id)).status == "waiting"
    page = await daemon.client.messages(chat_id)
    found = [part for one in page.messages for part in one.parts if isinstance(part, ToolResult)]
    assert len(found) == 1
    return found[0]


async def whole(s: Story, daemon: DaemonProcess) -> None:
    """End a daemon; nothing of it is left, and its file is consistent."""
    assert await daemon.end(signal.SIGTERM, PATIENCE_S) == 0  # not cut off
    assert await asyncio.to_thread(check_all, s.data_dir / "palaver.db") == (1, [])
    assert not [pid for pid in s.marks if runs(pid)]


# The commits of the call: its response, the journal, its result. What the command may find.
POINTS = [
    "commit_response:before:1",
    "commit_response:after:1",
    "record_attempt:before:2",
    "record_attempt:after:2",
    "commit_results:before:1",
    "commit_results:after:1",
]


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_commit_a_command_runs_once(point: str) -> None:
    async with story() as s:
        (s.root / "go").touch()
        async with started(s.data_dir, {VARIABLE: point}) as daemon:
            chat_id = await s.ask(daemon, MARKS)
            await died(daemon)
        async with started(s.data_dir) as daemon:
            found = await result(daemon, chat_id)
            assert found.text.startswith("shown\nend\n[Ended with exit code 0 after ")
            assert len(s.marks) == 1
            await whole(s, daemon)


# What the test sees before it kills, and whether the command waits for it.
MOMENTS: dict[str, tuple[Callable[[Story], bool], bool]] = {
    "ordered": (lambda s: s.call_file("order"), True),
    "begun": (lambda s: s.call_file("begun"), True),
    "running": (lambda s: bool(s.marks), True),
    "ended": (lambda s: s.call_file("exit"), False),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_while_it_runs_the_next_daemon_takes_its_result(moment: str) -> None:
    seen, waits = MOMENTS[moment]
    async with story() as s:
        if not waits:
            (s.root / "go").touch()
        async with started(s.data_dir) as daemon:
            chat_id = await s.ask(daemon, MARKS)
            await eventually(lambda: seen(s))
            await daemon.end(signal.SIGKILL)
        async with started(s.data_dir) as daemon:
            (s.root / "go").touch()
            found = await result(daemon, chat_id)
            assert found.text.startswith("shown\nend\n[Ended with exit code 0 after ")
            assert len(s.marks) == 1
            await whole(s, daemon)


async def test_a_stop_in_the_last_moment_of_a_daemon_ends_the_command() -> None:
    async with story() as s:
        async with started(s.data_dir, {VARIABLE: "finish_interruption:before:1"}) as daemon:
            chat_id = await s.ask(daemon, MARKS)
            await eventually(lambda: s.marks)
            turn = (await daemon.client.chat(chat_id)).versions.turn
            with suppress(PalaverError):
                await daemon.client.interrupt(chat_id, Interrupt(turn_version=turn))
            await died(daemon)
        async with started(s.data_dir) as daemon:
            await rest(daemon, chat_id)
            await eventually(lambda: not runs(s.marks[0]))
            await whole(s, daemon)


async def test_a_daemon_that_is_told_to_stop_ends_the_command_and_the_next_one_says_so() -> None:
    async with story() as s:
        async with started(s.data_dir) as daemon:
            chat_id = await s.ask(daemon, f"trap '' TERM; {MARKS}")
            await eventually(lambda: s.marks)
            assert await daemon.end(signal.SIGTERM, PATIENCE_S) == 0
            assert not runs(s.marks[0])
        async with started(s.data_dir) as daemon:
            found = await result(daemon, chat_id)
            assert found.is_error
            assert "because the daemon was stopped." in found.text
            assert len(s.marks) == 1
            await whole(s, daemon)


async def test_a_background_process_survives_a_crash_and_ends_with_its_chat() -> None:
    async with story() as s:
        async with started(s.data_dir) as daemon:
            chat_id = await s.ask(daemon, MARKS, background=True)
            assert "in the background as process p1." in (await result(daemon, chat_id)).text
            await eventually(lambda: s.marks)
            await daemon.end(signal.SIGKILL)
        async with started(s.data_dir) as daemon:
            await daemon.client.chat(chat_id)
            assert runs(s.marks[0])
            await daemon.client.change_chat(chat_id, ChangeChat(archived=True))
            await eventually(lambda: not runs(s.marks[0]))
            await daemon.client.delete_chat(chat_id)
            await eventually(lambda: not (s.data_dir / "calls" / chat_id).exists())
            assert await daemon.end(signal.SIGTERM, PATIENCE_S) == 0
        assert len(s.marks) == 1


async def test_a_stop_ends_a_command_that_ignores_it() -> None:
    async with story() as s, started(s.data_dir) as daemon:
        chat_id = await s.ask(daemon, f"trap '' TERM; {MARKS}")
        await eventually(lambda: s.marks)
        turn = (await daemon.client.chat(chat_id)).versions.turn
        await daemon.client.interrupt(chat_id, Interrupt(turn_version=turn))
        found = await result(daemon, chat_id)
        assert found.text.startswith("The user cancelled this call.")
        await eventually(lambda: not runs(s.marks[0]))
        await whole(s, daemon)
