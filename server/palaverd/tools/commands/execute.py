"""`execute`: run a command in the workspace, once."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from palaverd.tools.commands.call_files import Ended, Nothing, Prevented, State, Vanished
from palaverd.tools.commands.command import Command
from palaverd.tools.commands.live_tail import follow
from palaverd.tools.commands.records import Record
from palaverd.tools.commands.registry import STOPPED
from palaverd.tools.commands.report import outcome_of, printed
from palaverd.tools.failures import ToolError
from palaverd.tools.running import Running
from palaverd.tools.tool import (
    Actor,
    Found,
    Intent,
    NotBegun,
    Outcome,
    Unknown,
    reading,
    telling,
)

# Seconds.
TIMEOUT_S = 10.0
LONGEST_S = 3600.0
# Bytes of the output of a command whose end nobody saw.
LAST_WORDS = 4096


class Execute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to run."""

    command: Annotated[str, Meta(min_length=1, description="For bash, without a terminal.")]
    timeout: Annotated[
        float,
        Meta(gt=0, le=LONGEST_S, description="Seconds to wait; then the command goes on."),
    ] = TIMEOUT_S
    workdir: Annotated[
        str, Meta(description="Where it runs, relative to the workspace or absolute inside it.")
    ] = "."
    background: Annotated[
        bool, Meta(description="Return at once, and let it go on: servers, watchers, long builds.")
    ] = False


class Trace(msgspec.Struct, frozen=True):
    """What the journal keeps: when the command was to begin, and in which start of the machine."""

    at: int
    boot: str


async def intend(running: Running, given: Execute) -> Intent:
    """Return what is to run, and where.

    Raises:
        ToolError: there is no such directory, or no shell.
    """
    if sys.platform != "linux":
        raise ToolError("Commands run on Linux alone so far.")
    if "\0" in given.command:
        raise ToolError("A command has no zero bytes.")
    directory = await asyncio.to_thread(_directory, running, given.workdir)
    shell = await asyncio.to_thread(shutil.which, "bash") or "/bin/sh"
    record = await running.commands.record(running.chat_id, running.call_id, given.command)

    async def act() -> Outcome:
        async def started() -> Command:
            try:
                return await running.commands.start(
                    record, (shell, "-c", given.command), directory, named=given.background
                )
            except OSError as error:
                raise ToolError(f"The command could not be started: {error.strerror}.") from None

        return await _result(running, given, started, given.timeout)

    return Intent(act, msgspec.json.encode(Trace(record.at, record.boot)).decode())


async def find(running: Running, given: Execute, trace: str | None) -> Found:
    """Return what came of a command: it may still run, have ended, or never have begun."""
    told = msgspec.json.decode(trace or '{"at":0,"boot":""}', type=Trace)
    files = running.commands.files_of(running.chat_id, running.call_id)
    state = await asyncio.to_thread(files.settle, told.boot)
    if isinstance(state, Prevented | Nothing):
        return NotBegun()
    if isinstance(state, Vanished):
        last = await asyncio.to_thread(printed, files.output, LAST_WORDS, running.call_id)
        return Unknown(_unseen(last))
    record = Record(running.chat_id, running.call_id, given.command, told.at, told.boot)

    async def attached() -> Command:
        return await running.commands.attach(record)

    gone_s = (running.commands.now_ms() - told.at) / 1000
    return await _result(running, given, attached, max(0.0, given.timeout - gone_s))


async def _result(
    running: Running,
    given: Execute,
    began: Callable[[], Awaitable[Command]],
    seconds: float,
) -> Outcome:
    """Return the result of a command; end it if this task is cancelled for good."""
    commands = running.commands
    try:
        command = await began()
        if given.background or not await follow(command, seconds, running.say, running.clock):
            return await _goes_on(running, given, command)
    except asyncio.CancelledError:
        begun = commands.of((running.chat_id, running.call_id))
        if begun is not None and not running.handed_over():
            commands.end(begun, STOPPED)
        raise
    state = await asyncio.to_thread(command.files.state)
    await commands.forget(command)
    if isinstance(state, Ended):
        return await _ended(running, command, state)
    return await _without_end(running, command, state)


async def _goes_on(running: Running, given: Execute, command: Command) -> Outcome:
    name = await running.commands.name(command)
    how = (
        f"process_output shows what process {name} prints, process_signal ends it. It ends with "
        "the daemon, and when the chat is archived."
    )
    if given.background:
        return Outcome(f"[It runs in the background as process {name}. {how}]")
    text = await asyncio.to_thread(
        printed, command.files.output, running.budget - len(how), running.call_id
    )
    return Outcome(
        f"{text.rstrip()}\n[After {given.timeout:g} s it still runs, as process {name}. {how}]"
    )


async def _ended(running: Running, command: Command, ended: Ended) -> Outcome:
    text = await asyncio.to_thread(printed, command.files.output, running.budget, running.call_id)
    return outcome_of(text, ended)


async def _without_end(running: Running, command: Command, state: State) -> Outcome:
    """Return the result of a command whose wrapper ended without saying how."""
    if isinstance(state, Nothing):  # the wrapper could not even begin
        said = await asyncio.to_thread(command.files.trouble)
        raise ToolError(f"The command could not be started: {said or 'nobody knows why'}.")
    await command.clean()
    last = await asyncio.to_thread(printed, command.files.output, LAST_WORDS, running.call_id)
    return Outcome(_unseen(last), is_error=True)


def _unseen(last: str) -> str:
    said = f" It had printed:\n{last.rstrip()}" if last.strip() else " It had printed nothing."
    return (
        "The command began, and nobody saw how it ended: what supervised it was killed, or the "
        f"machine was restarted. It was not run again; look at what it has done.{said}"
    )


def _directory(running: Running, workdir: str) -> Path:
    """Return an absolute directory inside the workspace."""
    with running.root.place(workdir) as place:
        try:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
            os.close(os.open(place.name, flags, dir_fd=place.directory))
        except OSError as error:
            raise ToolError(f"{place.path} is no directory to run in: {error.strerror}.") from None
        return running.root.path / place.path


EXECUTE: Actor[Execute] = Actor(
    "execute",
    telling(
        "execute",
        """
        Run a command with bash in the workspace. Returns what it printed (standard output and
        error), and its exit code. It has no terminal and nobody answers its questions. What takes
        longer than `timeout` goes on as a process with an id. What it leaves running when it ends,
        ends too: use `background` for that.
        """,
        Execute,
    ),
    reading("execute", Execute),
    intend,
    find,
    needs_workspace=True,
)
