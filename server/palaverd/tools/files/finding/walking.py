"""A walk through a workspace with open directories: no link is followed, nothing outside is met."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Literal

import msgspec

from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.ignoring import METADATA, Rules, rules_above
from palaverd.tools.files.finding.names import shown
from palaverd.tools.workspace import Place, Workspace

# Directories in each other. Each is held open while the walk is in it; real trees have thirty.
DEEPEST = 200
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Kind = Literal["directory", "file", "link", "other"]


class Entry(msgspec.Struct, frozen=True):
    """Something in a directory, which is open while the entry is looked at.

    `path` is from the workspace's root, `depth` counts from where the walk began: 1 is in it.
    """

    path: str
    kind: Kind
    depth: int
    directory: int
    name: str


class Start(msgspec.Struct, frozen=True):
    """Where a walk begins: an open directory, its path ("" for the root), the rules there."""

    directory: int
    path: str
    rules: Rules


class Walk:
    """One walk. Counted are entries that are `ignored`, and directories that are `unreadable`.

    With `everything`, nothing is ignored but what versions are kept in.
    """

    def __init__(self, *, everything: bool = False, depth: int | None = None) -> None:
        self.ignored = 0
        self.unreadable = 0
        self._everything = everything
        self._depth = DEEPEST if depth is None else min(depth, DEEPEST)

    def entries(self, start: Start) -> Iterator[Entry]:
        """Yield what is in a directory and below, in the order of names, a directory before what
        is in it.
        """
        yield from self._in(start, 1)

    def _in(self, at: Start, depth: int) -> Iterator[Entry]:
        try:
            found = _scanned(at.directory)
        except OSError:
            self.unreadable += 1
            return
        rules = at.rules.within(at.directory, at.path, found)
        for name, kind in sorted(found.items()):
            if name in METADATA:
                continue
            path = f"{at.path}/{name}" if at.path else name
            if not self._everything and rules.ignore(path, directory=kind == "directory"):
                self.ignored += 1
                continue
            yield Entry(path, kind, depth, at.directory, name)
            if kind == "directory" and depth < self._depth:
                yield from self._below(at, rules, path, name, depth)

    def _below(self, at: Start, rules: Rules, path: str, name: str, depth: int) -> Iterator[Entry]:
        try:
            directory = os.open(name, _DIRECTORY, dir_fd=at.directory)
        except OSError:
            self.unreadable += 1
            return
        try:
            yield from self._in(Start(directory, path, rules), depth + 1)
        finally:
            os.close(directory)


def _scanned(directory: int) -> dict[str, Kind]:
    with os.scandir(directory) as found:
        return {entry.name: _kind(entry) for entry in found}


def _kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "directory"
    return "file" if entry.is_file(follow_symlinks=False) else "other"


def kind_of(place: Place) -> Kind:
    """Return what is at a place.

    Raises:
        ToolError: there is nothing, or it cannot be looked at.
    """
    try:
        found = os.stat(place.name, dir_fd=place.directory, follow_symlinks=False).st_mode
    except FileNotFoundError:
        raise ToolError(f"There is no file or directory {shown(place.path)}.") from None
    except OSError as error:
        raise ToolError(f"{shown(place.path)} cannot be read: {error.strerror}.") from None
    if stat.S_ISLNK(found):
        return "link"
    if stat.S_ISDIR(found):
        return "directory"
    return "file" if stat.S_ISREG(found) else "other"


def start(workspace: Workspace, place: Place, held: ExitStack, *, ignored: bool) -> Start:
    """Return the start of a walk in the directory at a place; `held` closes it.

    A directory that is ignored, and named nevertheless, is walked by its own rules.

    Raises:
        ToolError: it is no directory, or cannot be opened.
    """
    directory = os.open(workspace.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    held.callback(os.close, directory)
    rules = Rules() if ignored else rules_above(os.fspath(workspace.path))
    path = ""
    for name in place.path.split("/") if place.path != "." else ():
        rules = rules.within(directory, path, _marks(directory))
        try:
            directory = os.open(name, _DIRECTORY, dir_fd=directory)
        except OSError as error:
            why = f"{shown(place.path)} cannot be opened: {error.strerror}."
            raise ToolError(why) from None
        held.callback(os.close, directory)
        path = f"{path}/{name}" if path else name
        if rules.ignore(path, directory=True):
            rules = Rules(rules.prefix)
    return Start(directory, path, rules)


def _marks(directory: int) -> set[str]:
    """Return which names are in a directory that say something about its rules."""
    marks = set()
    for name in (".git", ".gitignore"):
        try:
            os.stat(name, dir_fd=directory, follow_symlinks=False)
        except OSError:
            continue
        marks.add(name)
    return marks
