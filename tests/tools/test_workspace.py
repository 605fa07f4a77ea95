"""Paths in a workspace: what is inside is found, and nothing else is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from palaverd.tools.failures import ToolError
from palaverd.tools.workspace import Outside, Workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "file").write_text("inside")
    (tmp_path / "secret").write_text("outside")
    return root


def read(root: Path, path: str) -> str:
    with Workspace(root).place(path) as place:
        flags = os.O_RDONLY | os.O_NOFOLLOW
        with os.fdopen(os.open(place.name, flags, dir_fd=place.directory)) as file:
            return file.read()


@pytest.mark.parametrize("path", ["a/b/file", "./a//b/./file", "a/b/../b/file", "a/../a/b/file"])
def test_a_path_inside_is_opened(root: Path, path: str) -> None:
    assert read(root, path) == "inside"


def test_an_absolute_path_inside_is_opened(root: Path) -> None:
    assert read(root, str(root / "a/b/file")) == "inside"


def test_links_inside_are_followed(root: Path) -> None:
    (root / "near").symlink_to("a/b")
    (root / "a" / "up").symlink_to("../a/b/file")
    (root / "a" / "far").symlink_to(root / "a" / "b")
    assert [read(root, path) for path in ("near/file", "a/up", "a/far/file")] == ["inside"] * 3


@pytest.mark.parametrize(
    "path", ["..", "../secret", "a/../../secret", "a/b/../../../secret", "/etc/hostname"]
)
def test_a_path_that_leads_out_is_refused(root: Path, path: str) -> None:
    with pytest.raises(Outside):
        read(root, path)


@pytest.mark.parametrize("target", ["../../secret", "/etc", "../../../..", "b/../../.."])
def test_a_link_that_leads_out_is_refused(root: Path, target: str) -> None:
    (root / "a" / "out").symlink_to(target)
    with pytest.raises(Outside):
        read(root, "a/out")
    with pytest.raises(Outside):
        read(root, "a/out/hostname")


def test_a_link_to_itself_is_refused(root: Path) -> None:
    (root / "loop").symlink_to("loop")
    with pytest.raises(ToolError, match="too many"):
        read(root, "loop")


def test_what_is_missing_is_named(root: Path) -> None:
    with pytest.raises(ToolError, match=r"There is no directory a/c\."):
        read(root, "a/c/file")
    with pytest.raises(ToolError, match=r"a/b/file is no directory\."):
        read(root, "a/b/file/more")


def test_missing_directories_are_made_on_request(root: Path) -> None:
    with Workspace(root).place("new/deep/file", make=True) as place:
        assert place.path == "new/deep/file"
    assert (root / "new" / "deep").is_dir()


def test_a_walk_closes_what_it_opened(root: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("a/b/file", "a/b/../../a/b", "../secret", "a/c/d"):
        with suppress(ToolError), Workspace(root).place(path):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
