"""Processes by their id and their start: an id alone may have gone to another process since."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from palaverd.tools.commands.wrapper import descendants, send, stat_of

SignalName = Literal["TERM", "INT", "KILL", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT"]

# In the environment of a command and of all that it starts: the folder of its call. What was
# detached from its wrapper is found by it.
MARK = "PALAVER_CALL"
# Searches for processes that were started meanwhile.
ROUNDS = 5


class Process(msgspec.Struct, frozen=True):
    """A process. `start` is in clock ticks since the machine's start."""

    pid: int
    start: int

    def runs(self) -> bool:
        """Return whether it still runs."""
        stat = stat_of(self.pid)
        return stat is not None and stat[2] == self.start and stat[0] not in "ZX"


@cache
def boot_id() -> str:
    """Return what names this start of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def signal_process(process: Process, name: SignalName) -> bool:
    """Send a signal to a process; return False if it has ended."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        # Checked once the handle is open: it stays the same process then.
        if not process.runs():
            return False
        signal.pidfd_send_signal(handle, _number(name))
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def signal_group(wrapper: Process, group: int, name: SignalName) -> bool:
    """Send a signal to a command's process group; return False if it has ended.

    The group is the command's as long as its wrapper runs.
    """
    if not wrapper.runs():
        return False
    try:
        os.killpg(group, _number(name))
    except ProcessLookupError:
        return False
    return True


def kill_all(wrapper: Process | None, mark: str) -> None:
    """Kill a wrapper that does not obey, or what one that was killed has left. Blocks.

    Args:
        wrapper: the wrapper; None if it is gone.
        mark: the value of `MARK` in the environment of its processes.
    """
    for _ in range(ROUNDS):
        found = [] if wrapper is None else descendants(wrapper.pid)
        if wrapper is not None:
            signal_process(wrapper, "KILL")
            wrapper = None  # its processes have another parent now
        found += [pid for pid in marked(mark) if pid not in found]
        if not found:
            return
        send(found, signal.SIGKILL)


def marked(mark: str) -> list[int]:
    """Return the processes with this mark in their environment."""
    wanted = os.fsencode(f"{MARK}={mark}")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended, or another user's
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def _number(name: SignalName) -> signal.Signals:
    return signal.Signals[f"SIG{name}"]
