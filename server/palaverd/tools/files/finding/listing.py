"""List the files and directories of a workspace."""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack

from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.globs import matcher
from palaverd.tools.files.finding.names import counted, shown
from palaverd.tools.files.finding.orders import ListFiles
from palaverd.tools.files.finding.timing import TimeUp
from palaverd.tools.files.finding.walking import Entry, Walk, kind_of, start
from palaverd.tools.workspace import Workspace

MOST_ENTRIES = 1000

_SPECIAL = {
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class _Kept:
    """The entries nearest to the top, at most `MOST_ENTRIES`: the farthest is first in the heap."""

    def __init__(self) -> None:
        self.count = 0
        self._heap: list[_Line] = []

    def add(self, entry: Entry) -> None:
        self.count += 1
        if len(self._heap) < MOST_ENTRIES:
            heapq.heappush(self._heap, _Line(entry))
        elif (entry.depth, entry.path) < self._heap[0].place:
            heapq.heapreplace(self._heap, _Line(entry))

    def lines(self) -> list[str]:
        return [line.text for line in sorted(self._heap, key=lambda line: line.place[1].split("/"))]


class _Line:
    def __init__(self, entry: Entry) -> None:
        self.place = (entry.depth, entry.path)
        self.text = _text(entry)

    def __lt__(self, other: _Line) -> bool:
        return self.place > other.place


def list_files(workspace: Workspace, asked: ListFiles) -> str:
    """Return the entries of a directory and below, as a text for the model.

    Raises:
        ToolError: there is no such directory, or the pattern is not valid.
    """
    fits = matcher(asked.pattern)
    with workspace.place(asked.path) as place, ExitStack() as held:
        if kind_of(place) != "directory":
            raise ToolError(f"{shown(place.path)} is no directory: read_file reads files.")
        begin = start(workspace, place, held, ignored=asked.ignored)
        strip = len(begin.path) + 1 if begin.path else 0
        walk = Walk(everything=asked.ignored, depth=asked.depth)
        kept, up = _Kept(), False
        try:
            for entry in walk.entries(begin):
                # A pattern is about files; all fit none.
                named = asked.pattern is None or entry.kind != "directory"
                if named and fits(entry.path[strip:]):
                    kept.add(entry)
        except TimeUp:
            up = True
        notes = _notes(asked, kept, walk, shown(place.path), up=up)
        return "\n".join([*kept.lines(), *(f"[{note}]" for note in notes)])


def _notes(asked: ListFiles, kept: _Kept, walk: Walk, path: str, *, up: bool) -> Iterator[str]:
    lines = min(kept.count, MOST_ENTRIES)
    if not kept.count and not up:
        fits = f"Nothing in {path} fits {asked.pattern}."
        yield fits if asked.pattern else f"There is nothing in {path}."
    elif lines < kept.count:
        least = "at least " if up else ""
        yield (
            f"{lines:,} entries are shown, those nearest to {path}, of {least}{kept.count:,}: a "
            "path, a pattern or a depth shows others."
        )
    if up:
        yield "The time was up before everything was looked at."
    if walk.ignored:
        amount = counted(walk.ignored, "entry", "entries")
        yield f"Left out: {amount} that .gitignore names; with ignored=true they are listed."
    if walk.unreadable:
        amount = counted(walk.unreadable, "directory", "directories")
        yield f"Left out: what is in {amount} that cannot be read."


def _text(entry: Entry) -> str:
    path = shown(entry.path)
    match entry.kind:
        case "directory":
            return f"{path}/"
        case "link":
            return f"{path} -> {_target(entry)}"
        case "other":
            return f"{path} ({_special(entry)})"
        case "file":
            return path


def _target(entry: Entry) -> str:
    try:
        return shown(os.readlink(entry.name, dir_fd=entry.directory))
    except OSError:
        return "?"


def _special(entry: Entry) -> str:
    try:
        found = os.stat(entry.name, dir_fd=entry.directory, follow_symlinks=False)
    except OSError:
        return "gone"
    return _SPECIAL.get(stat.S_IFMT(found.st_mode), "special")
