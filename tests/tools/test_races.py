"""Somebody swaps a directory for a link while files are found, read and written.

Whatever the order of things, nothing outside of the workspace is read or written.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from palaverd.tools.failures import ToolError
from palaverd.tools.files.changes import Change, current, write
from palaverd.tools.files.finding.__main__ import answer
from palaverd.tools.files.finding.orders import ListFiles, Order, SearchFiles
from palaverd.tools.files.opened import read_whole
from palaverd.tools.workspace import Workspace
from tools.looking import plant

# renameat2(2): the two names change places at once, so that neither is ever missing.
_EXCHANGE = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
_HERE, _RENAME_EXCHANGE = -100, 2
ROUNDS = 1500
WALKS = 150
INSIDE, OUTSIDE = "inside", "outside secret"


class Scene:
    def __init__(self, folder: Path) -> None:
        self.root = plant(folder / "root", {"a/b/file": INSIDE, "a/.gitignore": "never"})
        self.outside = plant(
            folder / "outside", {"b/file": OUTSIDE, "file": OUTSIDE, ".gitignore": "file"}
        )
        self.workspace = Workspace(self.root)

    def untouched(self) -> bool:
        found = {
            str(path.relative_to(self.outside)): path.read_text()
            for path in self.outside.rglob("*")
            if path.is_file()
        }
        return found == {"b/file": OUTSIDE, "file": OUTSIDE, ".gitignore": "file"}

    @contextmanager
    def swapped(self, name: str, target: Path) -> Iterator[None]:
        """Let a thread swap a name for a link to `target` and back, again and again."""
        if _EXCHANGE is None:
            pytest.skip("this system exchanges no names")
        path, link = os.fsencode(self.root / name), os.fsencode(self.root / "link")
        stop = threading.Event()
        (self.root / "link").symlink_to(target)

        def swap() -> None:
            while not stop.is_set():
                if _EXCHANGE(_HERE, path, _HERE, link, _RENAME_EXCHANGE) != 0:
                    raise OSError(ctypes.get_errno(), "renameat2")

        thread = threading.Thread(target=swap)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


PLACES = pytest.mark.parametrize(
    ("name", "target"), [("a", "outside"), ("a/b", "outside/b"), ("a/b/file", "outside/file")]
)


@PLACES
def test_nothing_outside_is_read(scene: Scene, name: str, target: str) -> None:
    said: Counter[str] = Counter()
    with scene.swapped(name, scene.root.parent / target):
        for _ in range(ROUNDS):
            try:
                said[read_whole(scene.workspace, "a/b/file").data.decode()] += 1
            except ToolError:
                said["refused"] += 1
    assert set(said) <= {INSIDE, "refused"}
    assert sum(said.values()) == ROUNDS


@PLACES
def test_nothing_outside_is_written(scene: Scene, name: str, target: str) -> None:
    with scene.swapped(name, scene.root.parent / target):
        for number in range(ROUNDS):
            path = "a/b/file" if number % 2 else f"a/b/new-{number % 7}/file"
            try:
                before = current(scene.workspace, path)
                change = Change(path, before.before, b"written", before.mode)
                write(scene.workspace, [change], f"call-{number}")
            except ToolError:
                continue
    assert scene.untouched()


@PLACES
@pytest.mark.parametrize("ignored", [False, True])
def test_nothing_outside_is_found(scene: Scene, name: str, target: str, *, ignored: bool) -> None:
    said: set[str] = set()
    root = os.fsencode(scene.root)
    with scene.swapped(name, scene.root.parent / target):
        for number in range(WALKS):
            path = (".", "a", "a/b")[number % 3]
            search = SearchFiles("secret", path=path, ignored=ignored)
            said.add(answer(Order(root, search, 0)).text)
            said.add(answer(Order(root, ListFiles(path, ignored=ignored), 0)).text)
    assert not any(OUTSIDE in text or "\n1:" in text for text in said)


def test_a_hard_link_is_replaced_and_what_it_shares_is_not_written(scene: Scene) -> None:
    """Its content is the workspace's; the other name of it is not."""
    (scene.root / "hard").hardlink_to(scene.outside / "file")
    before = current(scene.workspace, "hard")
    write(scene.workspace, [Change("hard", before.before, b"mine", before.mode)], "call")
    assert (scene.root / "hard").read_bytes() == b"mine"
    assert scene.untouched()


def test_forms_of_a_name_are_files_of_their_own(scene: Scene) -> None:
    names = {"é": b"composed", "e\u0301": b"decomposed", "É": b"capital"}
    for name, content in names.items():
        write(scene.workspace, [Change(name, None, content)], "call")
    if len(list(scene.root.glob("*"))) < 4:
        pytest.skip("this file system takes these names for one")
    for name, content in names.items():
        assert read_whole(scene.workspace, name).data == content


def test_a_file_that_grows_beyond_the_bound_while_it_is_read_is_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had the size of a small file when it was opened."""
    monkeypatch.setattr("palaverd.tools.files.opened.LARGEST", 1000)
    path = scene.root / "log"
    path.write_bytes(b"x" * 900)
    size = os.fstat

    def grown(descriptor: int) -> os.stat_result:
        found = size(descriptor)
        with path.open("ab") as file:
            file.write(b"y" * 1000)
        return found

    monkeypatch.setattr("palaverd.tools.files.opened.os.fstat", grown)
    with pytest.raises(ToolError, match="grew beyond"):
        read_whole(scene.workspace, "log")
