"""The paths of configuration, data and socket, for any environment and working directory."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from palaver.client import Endpoint, PalaverError
from palaver.launch import _not_foreign
from palaver.paths import SOCKET_PATH_LIMIT, NowhereError, from_root, socket_path
from support.clock import PATIENCE_S
from support.here import Here, somewhere

pytestmark = pytest.mark.process


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    """A data directory too deep for a socket's address."""
    async with somewhere() as found:
        deep = found.data_dir / ("x" * SOCKET_PATH_LIMIT)
        deep.mkdir(mode=0o700)
        shutil.copy(found.config, deep)
        moved = replace(found, data_dir=deep)
        yield moved
        await moved("daemon", "stop", "--force")
        shutil.rmtree(socket_path(deep).parent, ignore_errors=True)


async def test_a_daemon_is_found_whatever_the_environment_says(here: Here) -> None:
    run_dir = here.data_dir / "run"
    run_dir.mkdir(mode=0o700)
    session: dict[str, Any] = {"XDG_RUNTIME_DIR": str(run_dir), "TMPDIR": str(run_dir)}
    first = await here("run", "hello", **session)
    assert (first.code, first.err) == (0, "")
    pid = (await here.status())["pid"]
    others: list[dict[str, Any]] = [
        {"XDG_RUNTIME_DIR": ""},
        {"XDG_RUNTIME_DIR": "/nowhere"},
        session,
    ]
    for other in others:
        again = await here("run", "hello", **other)
        assert (again.code, again.err) == (0, ""), other
        assert (await here.status())["pid"] == pid
    parent = socket_path(here.data_dir).parent
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700


def test_a_socket_of_another_user_is_not_taken_for_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endpoint = Endpoint.unix(tmp_path / "palaverd.sock")
    _not_foreign(endpoint, tmp_path)  # there is none
    (tmp_path / "palaverd.sock").touch()
    _not_foreign(endpoint, tmp_path)
    os_stat = Path.stat

    def of_another(path: Path, **more: bool) -> os.stat_result:
        found = list(os_stat(path, **more))
        found[4] += path.suffix == ".sock"  # st_uid
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", of_another)
    with pytest.raises(PalaverError, match="belongs to another user"):
        _not_foreign(endpoint, tmp_path)


def test_a_relative_path_counts_from_where_one_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    assert from_root("data", "x") == gone / "data"
    gone.rmdir()
    with pytest.raises(NowhereError, match="--data-dir is data, but the directory"):
        from_root("data", "--data-dir")
    assert from_root("/data", "x") == Path("/data")


# Commands of `palaverd` that use the data directory.
OF_A_PLACE = ("serve", "db check", "db migrate", "db backup /copy.db", "user list", "token list")


@pytest.mark.parametrize("command", OF_A_PLACE)
def test_a_relative_data_directory_in_a_removed_one_is_told(
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from palaver.cli.main import run
    from palaverd.cli.main import main

    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setenv("PALAVER_DATA_DIR", "data")
    assert run(["ls"]) == 1
    assert "PALAVER_DATA_DIR is data, but the directory" in capsys.readouterr().err
    for given, name in (([], "PALAVER_DATA_DIR"), (["--data-dir", "data"], "--data-dir")):
        with pytest.raises(SystemExit):
            main([*command.split(), *given])
        said = capsys.readouterr().err
        assert said.startswith(f"palaverd: {name} is data, but the directory")


async def test_commands_work_in_a_directory_that_was_removed(tmp_path: Path) -> None:
    async with somewhere() as here:
        for command in ("run hello", "ls", "doctor"):  # the first one starts the daemon
            gone = tmp_path / "gone"
            gone.mkdir()
            process = await asyncio.create_subprocess_exec(
                *("sh", "-c", f'rmdir ../gone && exec "$0" -m palaver {command}', sys.executable),
                cwd=gone,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                env=os.environ
                | {"PALAVER_CONFIG": str(here.config), "PALAVER_DATA_DIR": str(here.data_dir)},
            )
            async with asyncio.timeout(PATIENCE_S):
                out, err = await process.communicate()
            assert (process.returncode, err, bool(out)) == (0, b"", True), command
