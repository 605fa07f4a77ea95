"""Whether a process ends when its person logs out of this host, as far as that can be told."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

# systemd-logind answers in milliseconds; a host where it does not is not asked for long.
PATIENCE_S: Final = 2.0
ASK: Final = ("loginctl", "show-session", "--property=KillUserProcesses")
NOTE: Final = (
    "That host ends background processes when you log out, the daemon too, and answers wait until"
    " you come back. There,  systemctl --user enable --now palaverd  and  loginctl enable-linger"
    "  keep it."
)
# The control group of what was started in a session: .../user-1000.slice/session-3.scope
_SESSION: Final = re.compile(r"/session-[^/]+\.scope\b")


async def ends_at_logout(pid: int | None) -> str:
    """Return a sentence for the person where process `pid` ends at their log-out, else "".

    systemd-logind ends what a session leaves behind where its KillUserProcesses says so; services
    are in no session.
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
    """Return whether the text of a process's /proc/PID/cgroup says that it belongs to a login."""
    return _SESSION.search(cgroup) is not None


def kills(said: str) -> bool:
    """Return whether systemd-logind said that it ends what a session leaves behind."""
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
