"""Detects the service manager that runs this process: it restarts the daemon, not a client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Supervisor(NamedTuple):
    """A service manager and its name for this process ("" if unknown)."""

    name: str
    unit: str = ""


def supervisor(
    environment: Mapping[str, str], pid: int, *, cgroup: Path = Path("/proc/self/cgroup")
) -> Supervisor | None:
    """Return the service manager that started process `pid`, None if there is none.

    Most variables that a service manager sets are inherited by all descendants, including terminals
    of a desktop. Only a variable that names this process counts.
    """
    if environment.get("SYSTEMD_EXEC_PID") == str(pid):
        return Supervisor("systemd", _unit(cgroup))
    if pid == 1:
        return Supervisor("container")
    return None


def _unit(cgroup: Path) -> str:
    """Return the systemd unit in a control group, with --user for a user unit."""
    try:
        path = cgroup.read_text(encoding="utf-8").strip().splitlines()[-1].rpartition(":")[2]
    except (OSError, IndexError, UnicodeDecodeError):
        return ""
    unit = path.rpartition("/")[2]
    if not unit.endswith(".service"):
        return ""
    return f"--user {unit}" if "/user@" in path else unit
