"""End a suite's processes when the suite is gone, however it ended.

Every process that runs tests has a guardian, a process that waits for the other end of a pipe to
close, which it does also when the tests are killed. Processes of the tests have a variable in their
environment, which all descendants inherit: daemons that outlive their client on purpose, terminals,
tmux servers.
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

# Not one of Palaver's own settings: commands that it runs do not inherit those.
VARIABLE = "TESTS_OF_PALAVER"
PATIENCE_S = 10.0  # for killed processes; a busy machine takes time to reap them
GIVEN_UP_S = 60.0  # for one that cannot be killed, as it waits for a missing disk

_guardian: subprocess.Popen[bytes] | None = None  # its stdin is the pipe


def watch() -> None:
    """Let everything that this process starts from now on end with it."""
    global _guardian
    name = f"{os.getpid()}-{uuid.uuid4().hex}"
    _guardian = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # A parallel suite has several: none ends the processes of another.
        env={key: value for key, value in os.environ.items() if key != VARIABLE},
        start_new_session=True,
    )
    os.environ[VARIABLE] = name


def stop() -> None:
    """Stop the guardian."""
    if _guardian is not None:
        assert _guardian.stdin is not None
        _guardian.stdin.close()
        _guardian.wait()


def started_by(name: str) -> dict[int, str]:
    """Return the processes that have this name in their environment, each with its command."""
    wanted = f"{VARIABLE}={name}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended, or another user's
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = command.decode(errors="replace").strip()
    return found


def left() -> dict[int, str]:
    """Return this process's descendants that are still running after a while."""
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
