"""The log of a daemon that a client started is rotated, and five full files are kept."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from palaver.cli.logfile import LogFile
from palaver.paths import log_path
from palaverd.logs.log_file import KEPT, MOST_BYTES, RotatedFile
from support.here import somewhere


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_full_files_are_kept_in_order_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("a") as stream, LogFile(path) as reader:
        log = RotatedFile(path, (stream.fileno(),), most=100, kept=KEPT)
        followed: list[str] = []
        for number in range(100):
            stream.write(f"{number:09}\n")
            stream.flush()
            log.rotate_if_full()
            followed += reader.more()
        assert names(tmp_path) == ["log", *(f"log.{number}" for number in range(1, KEPT + 1))]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        files = [*(path.with_name(f"log.{number}") for number in range(KEPT, 0, -1)), path]
        kept = [int(line) for file in files for line in file.read_text().splitlines()]
        assert kept == list(range(50, 100))
        assert all(file.stat().st_size == 100 for file in files[:-1])
        # A reader that follows it, as `palaver daemon logs -f` does, misses none.
        assert [int(line) for line in followed] == list(range(100))


def test_the_last_lines_begin_in_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("3\n")
    path.with_name("log.1").write_text("1\n2\n")
    for count, lines in ((0, []), (1, ["3"]), (2, ["2", "3"]), (9, ["1", "2", "3"])):
        with LogFile(path) as log:
            assert log.last(count) == lines


def test_a_log_that_cannot_be_rotated_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("a") as stream:
        log = RotatedFile(path, (stream.fileno(),), most=10)
        blocked = tmp_path / "log.new"
        blocked.mkdir()
        for _ in range(2):
            stream.write("0123456789")
            stream.flush()
            log.rotate_if_full()
        assert names(tmp_path) == ["log", "log.new"]
        blocked.rmdir()
        stream.write("x")
        stream.flush()
        log.rotate_if_full()
        assert names(tmp_path) == ["log"]  # it is tried again later, not with every line
        stream.write("012345678")
        stream.flush()
        log.rotate_if_full()
        assert names(tmp_path) == ["log", "log.1"]
        assert path.with_name("log.1").stat().st_size == 30


def test_only_a_file_that_is_written_to_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with (tmp_path / "other").open("a") as stream:
        assert RotatedFile.find(path, stream) is None
        path.touch()
        assert RotatedFile.find(path, stream) is None
    with path.open("a") as stream:
        assert RotatedFile.find(path, stream) is not None
    assert RotatedFile.find(path, stream) is None


@pytest.mark.process
async def test_a_daemon_that_a_client_started_begins_a_new_file_when_its_log_is_full() -> None:
    async with somewhere() as here:
        path = log_path(here.data_dir)
        with path.open("wb") as file:
            file.truncate(MOST_BYTES)
        await here("daemon", "restart")
        old = path.with_name(f"{path.name}.1")
        async with asyncio.timeout(30):
            while not old.exists():
                await asyncio.sleep(0.01)
        await here("daemon", "reload")
        running = await here.status()
        pid = running["pid"]
        assert old.stat().st_size > MOST_BYTES
        assert path.stat().st_size < 100_000
        if Path("/proc/self/fd").exists():
            for fd in (1, 2):
                assert Path(f"/proc/{pid}/fd/{fd}").samefile(path)
        lines = (await here("daemon", "logs", "--json", "-n", "2")).out.splitlines()
        assert json.loads(lines[-1])["event"]
