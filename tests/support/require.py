"""What tests need of the machine: they are skipped without it, unless it is required.

`PALAVER_REQUIRE=commonmark,mount,tmux` names what is required: then a test fails instead of being
skipped.
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
    """Return what is missing if no program of this name is on PATH or in root's directories."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return lambda: None if shutil.which(name, path=path) else f"{name} is not installed"


def _no_commonmark() -> str | None:
    return None if commonmark.archives() else "CommonMark's examples were not fetched (make venv)"


# Each returns what is missing, or None.
PARTS: dict[str, Callable[[], str | None]] = {
    "caddy": _no_program("caddy"),
    "commonmark": _no_commonmark,
    "curl": _no_program("curl"),
    "mount": _no_mount,
    "netns": no_namespace,
    "nginx": _no_program("nginx"),
    "openssl": _no_program("openssl"),
    "ripgrep": _no_program("rg"),
    "sshd": _no_sshd,
    "systemd": _no_program("systemd-analyze"),
    "tmux": _no_tmux,
}


def require(part: str) -> None:
    """Skip the test if a part is missing; fail it if that part is required."""
    missing = PARTS[part]()
    if missing is None:
        return
    if part in os.environ.get("PALAVER_REQUIRE", "").replace(" ", "").split(","):
        pytest.fail(f"PALAVER_REQUIRE names {part}, but {missing}")
    pytest.skip(missing)
