"""Opening an address: by a program that has a window of its own, or else by nobody.

What the standard library does here may run a browser in the terminal that this client draws on.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Thread

from palaver_tui.platform.clipboard import REMOTE
from palaver_tui.timing import OPENER_S

# Programs that hand an address to what the person has chosen for it, and what must be set for
# there to be a screen to show it on.
OPENERS: tuple[tuple[str, str], ...] = (
    ("WSL_DISTRO_NAME", "wslview"),
    ("WAYLAND_DISPLAY", "xdg-open"),
    ("DISPLAY", "xdg-open"),
)
MAC_OPENER = "open"


@dataclass(frozen=True)
class Opened:
    """What became of it: `program` took it, or it was not opened for a `reason`."""

    program: str = ""
    reason: str = ""


class Opener:
    """Finds the program, and starts it so that it can neither read nor write this terminal."""

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
        """Return which program would be asked, or why there is none."""
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
        """Have `address` opened. It has a scheme, so that no program takes it for an option."""
        # All of it in a thread: looking through PATH reads disks.
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
    """Start a program on its own; return how it ended, None if it still runs."""
    process = subprocess.Popen(
        [path, address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # without a terminal, and alive when this one is closed
    )
    try:
        return process.wait(OPENER_S)
    except subprocess.TimeoutExpired:
        Thread(target=process.wait, daemon=True).start()  # or else it would stay as a zombie
        return None
