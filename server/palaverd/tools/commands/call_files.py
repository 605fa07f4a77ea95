"""The files of one command, in the folder of its call: its order, and how far it came.

    order    what the wrapper is to run
    begun    made before the command runs, in one step; a daemon that makes it first prevents that
    output   what it printed, standard output and standard error in their order
    reason   why it was ended, if this program did
    exit     how it ended
    trouble  what the wrapper said, if it failed

Every function blocks: call it in a thread.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from palaverd.tools.commands import wrapper
from palaverd.tools.commands.processes import Process, boot_id, signal_process

PREVENTED = "never"  # in `begun`: the command was not run, and will not be
REASON = "reason"
TROUBLE = "trouble"
# Bytes of `trouble` to show: the last line of a traceback.
SAID = 300


class Order(msgspec.Struct, frozen=True):
    """A program with its arguments, where it runs, and its umask."""

    arguments: list[str]
    directory: Path
    umask: int


class Nothing(msgspec.Struct, frozen=True):
    """The command has not begun, and may still."""


class Prevented(msgspec.Struct, frozen=True):
    """The command did not run, and will not."""


class Runs(msgspec.Struct, frozen=True):
    """The command runs in `wrapper`; `group` is its process group.

    `since` is when it began, in seconds since the epoch.
    """

    wrapper: Process
    group: int
    since: float


class Ended(msgspec.Struct, frozen=True):
    """The command ended with a code or by a signal, and left so many processes behind.

    It took so many seconds. `reason` is why this program ended it, None if it did not.
    """

    code: int | None
    signal: int | None
    left: int
    seconds: float
    reason: str | None = None


class Vanished(msgspec.Struct, frozen=True):
    """The command began, and nobody saw how it ended."""


State = Nothing | Prevented | Runs | Ended | Vanished


class CallFiles(msgspec.Struct, frozen=True):
    """The files in a call's folder, which need not exist yet."""

    folder: Path

    @property
    def output(self) -> Path:
        """What the command printed."""
        return self.folder / wrapper.OUTPUT

    def prepare(self, order: Order) -> None:
        """Write the order of a command that never began.

        Raises:
            OSError: it cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if isinstance(self.state(), Prevented):
            self._path(wrapper.BEGUN).unlink()
        fields = (f"{order.umask:o}", str(order.directory), *order.arguments)
        temporary = self._path("order.new")
        temporary.write_bytes(b"\0".join(os.fsencode(field) for field in fields))
        temporary.rename(self._path(wrapper.ORDER))

    def spawn(self, environment: Mapping[str, str]) -> int:
        """Start the wrapper; return its process id. It is a child of this process.

        The command gets the wrapper's environment. It is in no file: it may have secrets.

        Raises:
            OSError: it cannot be started.
        """
        trouble = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", wrapper.__file__, str(self.folder)],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, str(self._path(TROUBLE)), trouble, 0o600),
            ],
        )

    def state(self) -> State:
        """Return how far the command came."""
        if (ended := self._ended()) is not None:
            return ended
        begun = _read(self._path(wrapper.BEGUN))
        if begun is None:
            return Nothing()
        if begun == PREVENTED:
            return Prevented()
        pid, start, group = map(int, begun.split())
        process = Process(pid, start)
        if process.runs():
            return Runs(process, group, _written(self._path(wrapper.BEGUN)))
        # It may have ended between the two looks.
        return self._ended() or Vanished()

    def settle(self, boot: str) -> State:
        """Return how far the command came; what has not begun is prevented.

        Args:
            boot: the `boot_id` under which it was to begin. After a crash of the machine the file
                `begun` may be missing although the command ran: it is not synced.
        """
        if boot != boot_id():
            state = self.state()
            return state if isinstance(state, Ended | Prevented) else Vanished()
        while isinstance(state := self.state(), Nothing):
            self.prevent()
        return state

    def prevent(self) -> bool:
        """Prevent that the command begins; return False if it has begun."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _make_once(self._path(wrapper.BEGUN), PREVENTED)

    def give_reason(self, reason: str) -> None:
        """Record why the command is about to be ended, unless another reason is recorded."""
        with suppress(OSError):  # it is ended all the same
            _make_once(self._path(REASON), reason)

    def end(self, reason: str) -> bool:
        """Have the command end; return False if it never begins.

        Its wrapper needs up to `wrapper.GRACE_S`.
        """
        if not isinstance(self.state(), Ended):
            self.give_reason(reason)
        try:
            if self.prevent():
                return False
        except OSError:
            pass  # the disk is full, say: it may have begun
        if isinstance(state := self.state(), Runs):
            signal_process(state.wrapper, "TERM")
        return not isinstance(state, Prevented)

    def trouble(self) -> str:
        """Return the last line that the wrapper said of itself."""
        lines = (_read(self._path(TROUBLE)) or "").strip().splitlines()
        return lines[-1][:SAID] if lines else ""

    def _ended(self) -> Ended | None:
        path = self._path(wrapper.EXIT)
        said = _read(path)
        if said is None:
            return None
        how, number, left = said.split()
        return Ended(
            code=int(number) if how == "code" else None,
            signal=int(number) if how == "signal" else None,
            left=int(left),
            seconds=_written(path) - _written(self._path(wrapper.BEGUN)),
            reason=_read(self._path(REASON)) or None,
        )

    def _path(self, name: str) -> Path:
        return self.folder / name


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None


def _written(path: Path) -> float:
    return path.stat().st_mtime


def _make_once(path: Path, text: str) -> bool:
    """Make a file with its whole content in one step; return False if there is one."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True
