"""A tmux server for a test, which ends with it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BOUND_S = 30.0  # for the start of a client on a busy machine
POLL_S = 0.05


class Tmux:
    """One pane, and its server."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def __call__(self, *command: str) -> str:
        """Run a tmux command; return its output."""
        done = subprocess.run(
            ["tmux", "-u", "-S", str(self._socket), "-f", "/dev/null", *command],
            capture_output=True,
            text=True,
            check=True,
            timeout=BOUND_S,
        )
        return done.stdout

    def rows(self) -> list[str]:
        """Return the pane's text."""
        return self("capture-pane", "-p").split("\n")

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until `holds`; on a timeout, fail with the pane's text."""
        end = time.monotonic() + BOUND_S
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"{what}:\n" + "\n".join(self.rows()))
            time.sleep(POLL_S)


@contextmanager
def tmux(
    folder: Path, command: str, size: tuple[int, int] = (120, 40), *options: str
) -> Iterator[Tmux]:
    """Run `command` in a pane of `size`. `options` are set first, such as `set -g …`."""
    pane = Tmux(folder / "tmux")
    # A size in the environment, which pytest-xdist sets, takes precedence over the pane's.
    left_out = {"TMUX", "TMUX_PANE", "COLUMNS", "LINES"}
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    first = ["new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), command]
    try:
        subprocess.run(
            ["tmux", "-u", "-S", str(folder / "tmux"), "-f", "/dev/null", *options, *first],
            check=True,
            env=environment,
            timeout=BOUND_S,
        )
        yield pane
    finally:
        subprocess.run(
            ["tmux", "-S", str(folder / "tmux"), "kill-server"], check=False, timeout=BOUND_S
        )
