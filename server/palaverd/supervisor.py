"""Which service manager runs this process, if one does: it, and not a client, starts it anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Supervisor(NamedTuple):
    """A service manager, and what it calls this process ("" when that is not known)."""

    name: str
    unit: str = ""


def supervisor(
    environment: Mapping[str, str], pid: int, *, cgroup: Path = Path("/proc/self/cgroup")
) -> Supervisor | None:
    """Return who started process `pid` as a service, None when nobody did.

    Most of a service manager's variables are inherited by everything below it, a desktop's
    terminals included. What counts is a variable that names the process itself.
    """
    if environment.get("SYSTEMD_EXEC_PID") == str(pid):
        return Supervisor("systemd", _unit(cgroup))
    if pid == 1:
        return Supervisor("container")
    return None


def _unit(cgroup: Path) -> str:
    """Return the unit that a process's control group is named for, with --user where it is one."""
    try:
        path = cgroup.read_text(encoding="utf-8").strip().splitlines()[-1].rpartition(":")[2]
    except (OSError, IndexError, UnicodeDecodeError):
        return ""
    unit = path.rpartition("/")[2]
    if not unit.endswith(".service"):
        return ""
    return f"--user {unit}" if "/user@" in path else unit
