"""What a test needs of the machine: skipped with a reason where it is missing, unless required.

`PALAVER_REQUIRE=commonmark,mount,tmux` names what must be there: then a test that would
skip fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from support import commonmark
from support.namespace import no_namespace


def _no_mount() -> str | None:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "mounting a small file system needs root"
    with tempfile.TemporaryDirectory(prefix="pv") as folder:
        tried = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True
        )
        if tried.returncode != 0:
            return f"this system mounts nothing: {tried.stderr.decode().strip()}"
        subprocess.run(["umount", folder], check=True)
    return None


def _no_tmux() -> str | None:
    return None if shutil.which("tmux") else "tmux is not installed"


def _no_sshd() -> str | None:
    if not Path("/usr/sbin/sshd").exists() or shutil.which("ssh") is None:
        return "openssh-server is not installed"
    return None


def _no_program(name: str) -> Callable[[], str | None]:
    """Look for a program that is installed under this name, or in a place that is root's."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return lambda: None if shutil.which(name, path=path) else f"{name} is not installed"


def _no_commonmark() -> str | None:
    return None if commonmark.archives() else "CommonMark's examples were not fetched (make venv)"


# Each returns what is missing, None when nothing is.
PARTS: dict[str, Callable[[], str | None]] = {
    "caddy": _no_program("caddy"),
    "commonmark": _no_commonmark,
    "curl": _no_program("curl"),
    "mount": _no_mount,
    "netns": no_namespace,
    "nginx": _no_program("nginx"),
    "openssl": _no_program("openssl"),
    "sshd": _no_sshd,
    "systemd": _no_program("systemd-analyze"),
    "tmux": _no_tmux,
}


def require(part: str) -> None:
    """Skip the test when a part of the machine is missing; fail it where that part is required."""
    missing = PARTS[part]()
    if missing is None:
        return
    if part in os.environ.get("PALAVER_REQUIRE", "").replace(" ", "").split(","):
        pytest.fail(f"PALAVER_REQUIRE names {part}, but {missing}")
    pytest.skip(missing)
