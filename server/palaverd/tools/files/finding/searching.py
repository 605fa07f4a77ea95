"""Search the text files of a workspace for lines."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.engines import Engine, Hit, engine
from palaverd.tools.files.finding.globs import matcher
from palaverd.tools.files.finding.names import counted, shown
from palaverd.tools.files.finding.orders import SearchFiles
from palaverd.tools.files.finding.texts import TextFile, Unsearched, open_text
from palaverd.tools.files.finding.timing import TimeUp
from palaverd.tools.files.finding.walking import Walk, kind_of, start
from palaverd.tools.workspace import Place, Workspace

# Files that are open together, and searched by one run of ripgrep: with a fifth of it, 20,000 small
# files cost 1.7 s of the CPU instead of 1.0.
_TOGETHER = 500
# Lines that are counted before the search ends, beyond those that are shown.
_MOST_COUNTED = 2000
# Letters of a line that are shown, around what fits.
_SHOWN = 400
_BEFORE = 100


class Search:
    """One search. `text` may be asked for at any moment: what was found until then."""

    def __init__(self, asked: SearchFiles, ripgrep: str | None) -> None:
        self._asked = asked
        self._ripgrep = ripgrep
        self._lines: list[str] = []
        self._shown = 0
        self._counted = 0
        self._files = 0
        self._left_out: Counter[Unsearched] = Counter()
        self._walk = Walk(everything=asked.ignored)
        self._at = ""

    def run(self, workspace: Workspace) -> str:
        """Search, and return the text for the model.

        Raises:
            ToolError: the pattern is not valid, or there is no such file or directory.
        """
        search = engine(self._asked, self._ripgrep)
        with workspace.place(self._asked.path) as place, ExitStack() as held:
            up = False
            try:
                for files in self._batches(workspace, place, held):
                    self._search(search, files)
                    if self._counted >= self._most:
                        break
            except TimeUp:
                up = True
            return self._text(up=up)

    @property
    def _most(self) -> int:
        return self._asked.limit + _MOST_COUNTED

    def _batches(
        self, workspace: Workspace, place: Place, held: ExitStack
    ) -> Iterator[list[TextFile]]:
        """Yield open files, some at a time, and close them."""
        batch: list[TextFile] = []
        for found in self._opened(workspace, place, held):
            if isinstance(found, TextFile):
                batch.append(found)
            else:
                self._left_out[found] += 1
            if len(batch) == _TOGETHER:
                yield from _closed(batch)
                batch = []
        yield from _closed(batch)

    def _opened(
        self, workspace: Workspace, place: Place, held: ExitStack
    ) -> Iterator[TextFile | Unsearched]:
        if kind_of(place) != "directory":
            yield self._named(place)
            return
        fits = matcher(self._asked.glob)
        begin = start(workspace, place, held, ignored=self._asked.ignored)
        strip = len(begin.path) + 1 if begin.path else 0
        for entry in self._walk.entries(begin):
            if entry.kind == "file" and fits(entry.path[strip:]):
                self._at = entry.path
                yield open_text(entry.directory, entry.name, entry.path)

    def _named(self, place: Place) -> TextFile:
        """Return the one file that is to be searched; it may be ignored."""
        found = open_text(place.directory, place.name, place.path)
        if isinstance(found, TextFile):
            return found
        why = {
            "unreadable": "cannot be read as a file",
            "binary": "is binary, not text",
            "too large": "is too large to be searched: execute can search it with a program",
        }
        raise ToolError(f"{shown(place.path)} {why[found]}.")

    def _search(self, search: Engine, files: list[TextFile]) -> None:
        if not files:
            return
        hits = iter(search(files, self._most - self._counted))
        for file in files:
            self._at = file.path
            if found := next(hits):
                self._add(file, found)

    def _add(self, file: TextFile, hits: list[Hit]) -> None:
        self._files += 1
        self._counted += len(hits)
        if self._asked.names_only:
            if self._shown < self._asked.limit:
                self._shown += 1
                self._lines.append(f"{shown(file.path)}: {counted(len(hits), 'line')}")
            return
        hits = hits[: self._asked.limit - self._shown]
        if hits:
            self._shown += len(hits)
            self._lines += [shown(file.path), *_with_context(file, hits, self._asked.context), ""]

    def _text(self, *, up: bool) -> str:
        notes = list(self._notes(up=up))
        return "\n".join([*self._lines, *(f"[{note}]" for note in notes)])

    def _notes(self, *, up: bool) -> Iterator[str]:
        counted_all = self._counted < self._most and not up
        amount = f"{counted(self._counted, 'line')} in {counted(self._files, 'file')}"
        of = amount if counted_all else f"at least {amount}"
        total = self._files if self._asked.names_only else self._counted
        if not self._counted:
            yield "Nothing was found." if not up else "Nothing was found until the time was up."
        elif self._shown < total:
            what = "files" if self._asked.names_only else "lines"
            yield f"The first {self._shown:,} {what} are shown, of {of}."
        else:
            yield f"{of[0].upper()}{of[1:]}."
        if up:
            yield (
                f"The time was up at {shown(self._at) or 'the beginning'}: what comes after it was "
                "not searched. A path or glob narrows the search; a simpler pattern is quicker."
            )
        yield from _left_out(self._left_out, self._walk, found=bool(self._counted))


def _left_out(unsearched: Counter[Unsearched], walk: Walk, *, found: bool) -> Iterator[str]:
    if unsearched["too large"]:
        yield f"Not searched: {counted(unsearched['too large'], 'file')} too large."
    if unread := unsearched["unreadable"] + walk.unreadable:
        what = counted(unread, "file or directory", "files or directories")
        yield f"Not searched: {what} that cannot be read."
    if not found and unsearched["binary"]:
        yield f"Not searched: {counted(unsearched['binary'], 'binary file')}."
    if not found and walk.ignored:
        amount = counted(walk.ignored, "entry", "entries")
        yield f"Not searched: {amount} that .gitignore names; with ignored=true they are."


def _closed(batch: list[TextFile]) -> Iterator[list[TextFile]]:
    try:
        yield batch
    finally:
        for file in batch:
            os.close(file.descriptor)


def _with_context(file: TextFile, hits: list[Hit], context: int) -> Iterator[str]:
    """Yield lines with their numbers: `12:` before one that fits, `13-` before others."""
    wanted = {hit.line: hit.before for hit in hits}
    last = hits[-1].line + context
    shown_until = 0
    near: set[int] = set()
    for line in wanted:
        near.update(range(line - context, line + context + 1))
    for number, text in enumerate(file.lines(), 1):
        if number > last:
            break
        if number in near:
            if context and shown_until and number > shown_until + 1:
                yield "--"
            shown_until = number
            sign = ":" if number in wanted else "-"
            yield f"{number}{sign}{_cut(text, wanted.get(number, 0))}"


def _cut(line: str, before: int) -> str:
    """Return a line, or what is around its byte `before` if it is long."""
    if len(line) <= _SHOWN:
        return line
    at = len(line.encode("utf-8", "replace")[:before].decode("utf-8", "ignore"))
    begin = max(0, min(at - _BEFORE, len(line) - _SHOWN))
    end = begin + _SHOWN
    ahead = f"[{begin:,} letters] " if begin else ""
    behind = f" [{len(line) - end:,} letters]" if end < len(line) else ""
    return f"{ahead}{line[begin:end]}{behind}"
