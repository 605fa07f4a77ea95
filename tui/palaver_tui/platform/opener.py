"""Opening a URL with a program that has its own window.

Not by the standard library's `webbrowser`, which may run a browser in the client's terminal.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from threading import Thread

import msgspec

from palaver_tui.platform.clipboard import REMOTE
from palaver_tui.timing import OPENER_S

# Programs that open a URL with the user's preferred application, and the variable that must be set
# because it stands for a display.
OPENERS: tuple[tuple[str, str], ...] = (
    ("WSL_DISTRO_NAME", "wslview"),
    ("WAYLAND_DISPLAY", "xdg-open"),
    ("DISPLAY", "xdg-open"),
)
MAC_OPENER = "open"


class Opened(msgspec.Struct, frozen=True):
    """The result: `program` opened the address, or it was not opened for a `reason`."""

    program: str = ""
    reason: str = ""


class Opener:
    """Finds the program, and starts it without access to this terminal."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        which: Callable[[str], str | None] = shutil.which,
        platform: str = sys.platform,
    ) -> None:
        self._environment = environment
        self._which = which
        self._platform = platform

    def program(self) -> Opened:
        """Return the program that would be started, or the reason why there is none."""
        if any(self._environment.get(name) for name in REMOTE):
            return Opened(reason="this is another machine than the one you sit at")
        if self._platform == "darwin":
            names = [MAC_OPENER]
        else:
            names = [name for variable, name in OPENERS if self._environment.get(variable)]
        if not names:
            return Opened(reason="there is no display here")
        found = next((name for name in names if self._which(name)), None)
        return Opened(found) if found else Opened(reason=f"{names[0]} is not installed")

    async def open(self, address: str) -> Opened:
        """Open `address`, and return the result.

        The address has a scheme, so that no program takes it for an option.
        """
        # In threads: searching PATH reads from disk.
        wanted = await asyncio.to_thread(self.program)
        if not wanted.program:
            return wanted
        try:
            code = await asyncio.to_thread(self._start, wanted.program, address)
        except OSError as error:
            return Opened(reason=f"{wanted.program} did not start: {error.strerror or error}")
        return Opened(reason=f"{wanted.program} failed with code {code}") if code else wanted

    def _start(self, program: str, address: str) -> int | None:
        return _start(self._which(program) or program, address)


def _start(path: str, address: str) -> int | None:
    """Start a program; return its exit code, or None if it still runs after `OPENER_S`."""
    process = subprocess.Popen(
        [path, address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # no controlling terminal; survives the end of this one
    )
    try:
        return process.wait(OPENER_S)
    except subprocess.TimeoutExpired:
        Thread(target=process.wait, daemon=True).start()  # else it would become a zombie
        return None
