"""`process_output`, `process_list`, `process_signal`: commands that go on beside their chat."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from palaverd.tools.commands.call_files import Runs, State
from palaverd.tools.commands.command import Command
from palaverd.tools.commands.processes import SignalName, signal_group
from palaverd.tools.commands.report import printed, state_said
from palaverd.tools.failures import ToolError
from palaverd.tools.running import Running
from palaverd.tools.tool import (
    Actor,
    Found,
    Intent,
    NotBegun,
    Outcome,
    Reader,
    Unknown,
    reading,
    telling,
)

# Seconds that a call may wait for the end of a process.
LONGEST_S = 3600.0
# Seconds after a signal, for the answer to say what came of it.
SOON_S = 1.0
# Characters of a command in the list.
SHOWN = 200
# Bytes of the budget for what is said about the output.
_REST = 512
# A process that has them already does not get them twice by being sent them again.
_REPEATABLE = ("TERM", "INT", "KILL", "STOP", "CONT")

_ID = Meta(description="As execute or process_list names it: p1, p2, …")


class ProcessOutput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose output, from where on."""

    process_id: Annotated[str, _ID]
    offset: Annotated[
        int, Meta(ge=0, description="The byte to begin at, as an earlier answer says.")
    ] = 0
    wait: Annotated[float, Meta(ge=0, le=LONGEST_S, description="Seconds to wait for its end.")] = (
        0.0
    )


class ProcessList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing: it lists all."""


class ProcessSignal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which signal, to which process."""

    process_id: Annotated[str, _ID]
    signal: Annotated[SignalName, Meta(description="TERM asks it to end, KILL ends it.")] = "TERM"


async def look_at_output(running: Running, given: ProcessOutput) -> Outcome:
    """Return what a process printed, and whether it runs.

    Raises:
        ToolError: the chat has no such process.
    """
    command = _find(running, given.process_id)
    if given.wait:
        await command.wait(given.wait)
    state = await asyncio.to_thread(command.files.state)
    end = await asyncio.to_thread(_size, command)
    text = await asyncio.to_thread(
        printed,
        command.files.output,
        running.budget - _REST,
        command.record.call_id,
        given.offset,
        end,
    )
    said = _said(running, state)
    more = f"[offset={end} shows what comes next.]" if isinstance(state, Runs) else ""
    shown = text.rstrip() if text.strip() else "[Nothing new was printed.]"
    return Outcome("\n".join(part for part in (shown, said, more) if part))


async def look_at_list(running: Running, _given: ProcessList) -> Outcome:
    """Return the processes of the chat, a line for each."""
    lines = []
    for command in running.commands.named(running.chat_id):
        state = await asyncio.to_thread(command.files.state)
        text = " ".join(command.record.command.split())
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        lines.append(f"{command.record.name}  {shown}  {_said(running, state)}")
    return Outcome("\n".join(lines) or "This chat has no processes.")


async def intend_signal(running: Running, given: ProcessSignal) -> Intent:
    """Return how to send the signal.

    Raises:
        ToolError: the chat has no such process.
    """
    command = _find(running, given.process_id)

    async def act() -> Outcome:
        state = await asyncio.to_thread(command.files.state)
        if not isinstance(state, Runs):
            return Outcome(f"Nothing was sent. {_said(running, state)}", is_error=True)
        sent = await asyncio.to_thread(signal_group, state.wrapper, state.group, given.signal)
        await command.wait(SOON_S)
        state = await asyncio.to_thread(command.files.state)
        how = f"SIG{given.signal} was sent." if sent else "Nothing was sent: it had ended."
        return Outcome(f"{how} {_said(running, state)}")

    return Intent(act)


async def find_signal(running: Running, given: ProcessSignal, _trace: str | None) -> Found:
    """Return whether the signal may be sent again."""
    if given.signal in _REPEATABLE:
        return NotBegun()
    return Unknown("The daemon ended while it sent the signal: nobody knows whether it arrived.")


def _find(running: Running, name: str) -> Command:
    command = running.commands.find(running.chat_id, name)
    if command is None:
        known = ", ".join(one.record.name or "" for one in running.commands.named(running.chat_id))
        raise ToolError(f"This chat has no process {name}; it has {known or 'none'}.")
    return command


def _said(running: Running, state: State) -> str:
    return state_said(state, running.commands.now_ms() / 1000)


def _size(command: Command) -> int:
    try:
        return command.files.output.stat().st_size
    except FileNotFoundError:
        return 0


PROCESS_OUTPUT: Reader[ProcessOutput] = Reader(
    "process_output",
    telling(
        "process_output",
        "Show what a process that goes on in the background printed, and whether it still runs.",
        ProcessOutput,
    ),
    reading("process_output", ProcessOutput),
    look_at_output,
    needs_workspace=True,
)
PROCESS_LIST: Reader[ProcessList] = Reader(
    "process_list",
    telling("process_list", "List the background processes of this chat.", ProcessList),
    reading("process_list", ProcessList),
    look_at_list,
    needs_workspace=True,
)
PROCESS_SIGNAL: Actor[ProcessSignal] = Actor(
    "process_signal",
    telling("process_signal", "Send a signal to a background process.", ProcessSignal),
    reading("process_signal", ProcessSignal),
    intend_signal,
    find_signal,
    needs_workspace=True,
)
