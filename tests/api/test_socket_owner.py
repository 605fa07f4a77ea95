"""The Unix socket: its directory, its permissions, and the peer's user id."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from palaver.client import Client, Endpoint, Refused
from palaverd.config.types import Config
from palaverd.datadir import StartError, prepare_socket
from support.daemon import running_daemon, short_dir


async def test_the_kernel_says_who_connects_and_others_are_told_that_it_is_not_theirs() -> None:
    async with (
        short_dir() as folder,
        running_daemon(folder, Config()) as daemon,
        Client(Endpoint.unix(folder / "palaverd.sock")) as client,
    ):
        await client.health()
        others = daemon._known.users - {os.getuid()} | {os.getuid() + 1}
        daemon._known = daemon._known._replace(users=frozenset(others))
        with pytest.raises(Refused, match="for the user that the daemon runs as"):
            await client.info()


def test_it_lies_in_a_directory_of_ones_own_that_nobody_else_can_enter(tmp_path: Path) -> None:
    prepare_socket(tmp_path / "new" / "s")
    for mode, said in ((0o1777, "to all"), (0o1700, "to all"), (0o750, "chmod 700")):
        tmp_path.chmod(mode)
        with pytest.raises(StartError, match=said):
            prepare_socket(tmp_path / "s")
    tmp_path.chmod(0o700)
    prepare_socket(tmp_path / "s")


def test_it_does_not_lie_in_anothers_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    with pytest.raises(StartError, match="another user"):
        prepare_socket(tmp_path / "s")
