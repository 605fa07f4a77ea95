"""Edits of files: all or none, kept modes and endings, and what is found after a crash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext as _nothing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.clock import SystemClock
from palaverd.tools.failures import ToolError
from palaverd.tools.files.edit_files import EDIT_FILES, WRITE_FILE, Edit, EditFiles, WriteFile
from palaverd.tools.running import Running
from palaverd.tools.tool import Intent, NotBegun, Outcome, Unknown
from palaverd.tools.workspace import Workspace


def running(root: Path) -> Running:
    return Running(
        chat_id="c",
        call_id="one",
        workspace=Workspace(root),
        budget=10_000,
        folder=root.parent / "calls",
        say=lambda text: None,
        clock=SystemClock(),
    )


async def intend(root: Path, *edits: Edit) -> Intent:
    return await EDIT_FILES.intend(running(root), EditFiles(list(edits)))


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.py").write_text("x = 1\ny = 2\n")
    (root / "b.py").write_bytes(b"one\r\ntwo\r\n")
    return root


async def test_edits_are_done_in_order_and_shown_as_a_diff(root: Path) -> None:
    intent = await intend(
        root,
        Edit("a.py", "x = 1", "x = 3"),
        Edit("./a.py", "x = 3\n", "x = 4\n"),
        Edit("new/c.py", "", "z\n"),
    )
    before = files(root)
    assert before["a.py"] == b"x = 1\ny = 2\n"  # nothing is done before it is in the journal
    outcome = await intent.act()
    assert outcome.text == (
        "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-x = 1\n+x = 4\n y = 2\n\n"
        "--- /dev/null\n+++ b/new/c.py\n@@ -0,0 +1 @@\n+z\n"
    )
    assert files(root) == {**before, "a.py": b"x = 4\ny = 2\n", "new/c.py": b"z\n"}


async def test_one_edit_that_cannot_be_done_is_named_and_nothing_is_written(root: Path) -> None:
    before = files(root)
    with pytest.raises(ToolError) as refused:
        await intend(root, Edit("a.py", "x", "z"), Edit("b.py", "three", "3"))
    assert str(refused.value) == (
        "Edit 2 of 2 cannot be done, and nothing was written. b.py does not have the old text."
    )
    assert files(root) == before


@pytest.mark.parametrize(
    ("content", "after"),
    [
        (b"one\r\ntwo\r\n", b"1\r\nand\r\ntwo\r\n"),
        (b"\xef\xbb\xbfone\n", b"\xef\xbb\xbf1\nand\n"),
        ("one\n".encode("utf-16"), "1\nand\n".encode("utf-16")),
        (b"\xfe\xff" + "one\n".encode("utf-16-be"), b"\xfe\xff" + "1\nand\n".encode("utf-16-be")),
        (b"one", b"1\nand"),
    ],
)
async def test_endings_and_encoding_of_a_file_are_kept(
    root: Path, content: bytes, after: bytes
) -> None:
    (root / "b.py").write_bytes(content)
    await (await intend(root, Edit("b.py", "one", "1\nand"))).act()
    assert (root / "b.py").read_bytes() == after


async def test_the_permissions_of_a_file_are_kept(root: Path) -> None:
    (root / "a.py").chmod(0o750)
    await (await intend(root, Edit("a.py", "x", "z"))).act()
    assert (root / "a.py").stat().st_mode & 0o777 == 0o750


async def test_what_is_new_gets_the_permissions_of_a_persons_files(root: Path) -> None:
    before = os.umask(0o077)  # a daemon's own files are private
    try:
        await (await WRITE_FILE.intend(running(root), WriteFile("deep/new.py", "x"))).act()
    finally:
        os.umask(before)
    assert (root / "deep").stat().st_mode & 0o777 == 0o755
    assert (root / "deep" / "new.py").stat().st_mode & 0o777 == 0o644


async def test_a_link_stays_a_link_and_its_target_is_edited(root: Path) -> None:
    (root / "link.py").symlink_to("a.py")
    await (await intend(root, Edit("link.py", "x", "z"), Edit("a.py", "y", "w"))).act()
    assert (root / "link.py").is_symlink()
    assert (root / "a.py").read_text() == "z = 1\nw = 2\n"


async def test_a_file_that_changed_meanwhile_is_not_overwritten(root: Path) -> None:
    intent = await intend(root, Edit("a.py", "x", "z"), Edit("b.py", "one", "1"))
    (root / "a.py").write_text("somebody else's\n")
    before = files(root)
    with pytest.raises(ToolError, match=r"changed by somebody else meanwhile.*Nothing was written"):
        await intent.act()
    assert files(root) == before


async def test_a_binary_file_is_not_edited(root: Path) -> None:
    (root / "a.bin").write_bytes(b"x\0y")
    with pytest.raises(ToolError, match="is binary"):
        await intend(root, Edit("a.bin", "x", "z"))


@pytest.mark.parametrize("path", ["../out.py", "/etc/palaver", "link/out.py"])
async def test_nothing_is_written_outside(root: Path, path: str) -> None:
    (root / "link").symlink_to("..")
    with pytest.raises(ToolError):
        await WRITE_FILE.intend(running(root), WriteFile(path, "x"))
    assert not (root.parent / "out.py").exists()


@pytest.mark.parametrize("renamed", [0, 1, 2])
async def test_after_a_crash_what_is_left_is_written_once(
    root: Path, renamed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = Edit("a.py", "x", "z"), Edit("b.py", "one", "1")
    intent = await intend(root, *edits)
    wanted = {"a.py": b"z = 1\ny = 2\n", "b.py": b"1\r\ntwo\r\n"}
    real, left = os.rename, [renamed]

    class Killed(BaseException):
        """The process ends here."""

    def rename(*names: str, **folders: Any) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        real(*names, **folders)

    with monkeypatch.context() as patch, pytest.raises(Killed) if renamed < 2 else _nothing():
        patch.setattr(os, "rename", rename)
        await intent.act()
    found = await EDIT_FILES.find(running(root), EditFiles(list(edits)), intent.trace)
    if renamed == 0:
        assert isinstance(found, NotBegun)
        await (await intend(root, *edits)).act()
    else:
        assert found == Outcome("Written: a.py, b.py.")
    assert files(root) == wanted


async def test_after_a_crash_a_file_that_is_neither_is_unknown(root: Path) -> None:
    edit = Edit("a.py", "x", "z")
    intent = await intend(root, edit)
    (root / "a.py").write_text("else\n")
    found = await EDIT_FILES.find(running(root), EditFiles([edit]), intent.trace)
    assert isinstance(found, Unknown)
    assert "a.py is neither as before" in found.why


NAMES = st.sampled_from(["a.py", "b.py", "new.py", "../a.py", "dir", ""])
EDITS = st.lists(
    st.builds(Edit, NAMES, st.sampled_from(["", "x", "one", "gone"]), st.sampled_from(["", "q"])),
    min_size=1,
    max_size=4,
)


@given(EDITS)
async def test_any_failure_writes_nothing(
    tmp_path_factory: pytest.TempPathFactory, edits: Sequence[Edit]
) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "a.py").write_text("x = 1\n")
    (root / "b.py").write_bytes(b"one\r\n")
    (root / "dir").mkdir()
    before = files(root)
    try:
        await (await intend(root, *edits)).act()
    except ToolError:
        assert files(root) == before
    assert not [name for name in files(root) if "palaver" in name]
