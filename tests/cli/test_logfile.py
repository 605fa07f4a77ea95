"""The tail of a log, lines that are appended, and lines formatted for people."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from palaver.cli.logfile import STEP, LogFile, for_people


@pytest.mark.parametrize("count", [0, 1, 3, 99, 5000])
@pytest.mark.parametrize("long", [5, STEP // 7])
def test_the_last_lines_are_the_last_ones(tmp_path: Path, count: int, long: int) -> None:
    lines = [f"{number} " + "x" * long for number in range(99)]
    path = tmp_path / "log"
    path.write_text("\n".join(lines) + "\n")
    with LogFile(path) as log:
        assert log.last(count) == (lines[-count:] if count else [])
        assert list(log.more()) == []


def test_what_comes_is_told_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntw")
    with LogFile(path) as log, path.open("a") as writer:
        assert log.last(5) == ["one"]
        writer.write("o\nthr")
        writer.flush()
        assert list(log.more()) == ["two"]
        writer.write("ee\n")
        writer.flush()
        assert list(log.more()) == ["three"]


def test_a_log_that_was_replaced_or_cut_off_is_begun_anew(tmp_path: Path) -> None:
    path, new = tmp_path / "log", tmp_path / "new"
    path.write_text("one\n")
    with LogFile(path) as log:
        assert log.last(1) == ["one"]
        with path.open("a") as writer:
            writer.write("two\n")
        new.write_text("three\n")
        path.unlink()
        assert list(log.more()) == ["two"]
        new.rename(path)
        assert list(log.more()) == ["three"]
        path.write_text("4\n")
        assert list(log.more()) == ["4"]


def test_a_line_that_is_appended_meanwhile_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.write_text("one\n")

    def append(line: str) -> None:
        with path.open("a") as writer:
            writer.write(line)

    class Busy(io.BytesIO):
        """A file to which a line is appended when its end has been read."""

        def read(self, size: int | None = -1, /) -> bytes:
            found, place = super().read(size), self.tell()
            if place == 4:
                self.write(b"two\n")
                self.seek(place)
            return found

    with LogFile(path) as log:
        with monkeypatch.context() as patched:
            patched.setattr(log, "_file", Busy(b"one\n"))
            assert log.last(1) == ["one"]
            assert list(log._new()) == ["two"]
        assert log.last(1) == ["one"]
        replaced = log._replaced

        def rotate() -> bool:
            append("last of this file\n")
            path.rename(tmp_path / "log.1")
            path.write_text("first of the next\n")
            return replaced()

        monkeypatch.setattr(log, "_replaced", rotate)
        assert list(log.more()) == ["last of this file", "first of the next"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("palaverd: no.", "palaverd: no."),
        ("[1]", "[1]"),
        ('{"event":"ready","level":"info","pid":7}', "info    ready pid=7"),
        (
            '{"event":"x","path":"a b","list":["c"],"none":null}',
            '        x path="a b" list=["c"] none=null',
        ),
        ('{"event":"x","exception":"Traceback:\\n  z"}', "        x\nTraceback:\n  z"),
        ('{"event":"x","timestamp":"soon"}', "soon         x"),
    ],
)
def test_a_line_reads_well(line: str, shown: str) -> None:
    assert for_people(line) == shown
