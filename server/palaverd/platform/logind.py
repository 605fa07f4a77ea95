"""Whether systemd-logind ends a process when its user logs out of this host."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

# Timeout in seconds; systemd-logind normally answers in milliseconds.
PATIENCE_S: Final = 2.0
ASK: Final = ("loginctl", "show-session", "--property=KillUserProcesses")
NOTE: Final = (
    "That host ends background processes when you log out, the daemon too, and answers wait until"
    " you come back. There,  systemctl --user enable --now palaverd  and  loginctl enable-linger"
    "  keep it."
)
# The control group of a process that belongs to a session: .../user-1000.slice/session-3.scope
_SESSION: Final = re.compile(r"/session-[^/]+\.scope\b")


async def ends_at_logout(pid: int | None) -> str:
    """Return a warning for the user if process `pid` ends when they log out, else "".

    With KillUserProcesses=yes, systemd-logind ends the processes of a session when it closes;
    services belong to no session.
    """
    if pid is None or not await asyncio.to_thread(_in_session, Path(f"/proc/{pid}/cgroup")):
        return ""
    return NOTE if kills(await _asked()) else ""


def _in_session(cgroup: Path) -> bool:
    try:
        return in_session(cgroup.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False


def in_session(cgroup: str) -> bool:
    """Return whether `cgroup`, the text of /proc/PID/cgroup, names a login session."""
    return _SESSION.search(cgroup) is not None


def kills(said: str) -> bool:
    """Return whether the output of loginctl contains KillUserProcesses=yes."""
    return "KillUserProcesses=yes" in said.split()


async def _asked() -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *ASK,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return said.decode(errors="replace")
