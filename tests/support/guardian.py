"""Ends what a suite has started when the suite is gone, whatever ended it.

Every process that runs tests has a guardian, a process of its own that waits for the other end of
a pipe to close, which it does also when the tests are killed. What the tests have started is known
by a variable in its environment, which is handed down to whatever that starts in turn: daemons that
outlive their client on purpose, terminals, servers of tmux.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

VARIABLE = "PALAVER_TESTS"
PATIENCE_S = 10.0  # for what is killed; a busy machine takes its time to reap it
GIVEN_UP_S = 60.0  # what cannot be killed, as it waits for a disk that is gone

_guardian: subprocess.Popen[bytes] | None = None  # ends with us: the pipe is its stdin


def watch() -> None:
    """From now on, let everything that this process starts end with it."""
    global _guardian
    name = f"{os.getpid()}-{uuid.uuid4().hex}"
    _guardian = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # A suite that runs in parts has several: none of them ends another one.
        env={key: value for key, value in os.environ.items() if key != VARIABLE},
        start_new_session=True,
    )
    os.environ[VARIABLE] = name


def part_with() -> None:
    """Let the guardian go."""
    if _guardian is not None:
        assert _guardian.stdin is not None
        _guardian.stdin.close()
        _guardian.wait()


def started_by(name: str) -> dict[int, str]:
    """Return the processes that carry this name, each with its command."""
    wanted = f"{VARIABLE}={name}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone, or somebody else's
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = command.decode(errors="replace").strip()
    return found


def left() -> dict[int, str]:
    """Return what this process has started and is still there after some patience."""
    end = time.monotonic() + PATIENCE_S
    while (found := started_by(os.environ[VARIABLE])) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _guard(name: str) -> None:
    while os.read(0, 1):
        pass
    end = time.monotonic() + GIVEN_UP_S
    while (found := started_by(name)) and time.monotonic() < end:
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


if __name__ == "__main__":
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    _guard(sys.argv[1])
