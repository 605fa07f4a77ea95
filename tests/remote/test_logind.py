"""Whether a daemon ends when its user logs out, from the system's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from palaverd.platform.logind import NOTE, ends_at_logout, in_session, kills

SESSION = "0::/user.slice/user-1000.slice/session-3.scope\n"
SERVICES = (
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/palaverd.service\n",
    "0::/system.slice/palaverd.service\n",
    "0::/\n",
    "",
)


def test_only_what_belongs_to_a_login_can_end_with_it() -> None:
    assert in_session(SESSION)
    assert in_session("1:name=systemd:/user.slice/user-1000.slice/session-c2.scope\n0::/\n")
    assert not any(in_session(text) for text in SERVICES)


def test_it_ends_where_the_system_says_so() -> None:
    assert kills("KillUserProcesses=yes\n")
    assert not kills("KillUserProcesses=no\n")
    assert not kills("")


@pytest.mark.parametrize("said", ["yes", "no"])
async def test_the_system_is_asked_by_its_own_program(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "loginctl"
    asked.write_text(f"#!/bin/sh\necho KillUserProcesses={said}\n")
    asked.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("palaverd.platform.logind._in_session", lambda _: True)
    assert await ends_at_logout(os.getpid()) == (NOTE if said == "yes" else "")


async def test_a_host_without_it_keeps_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("palaverd.platform.logind._in_session", lambda _: True)
    assert await ends_at_logout(os.getpid()) == ""
    assert await ends_at_logout(None) == ""
