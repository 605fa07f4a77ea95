"""Changes of files: prepared as a whole, then written, each file by a rename.

A file is never seen half written. If the process ends between two files, the digests before and
after, which the journal keeps, tell what is done and what is left.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Literal

import msgspec

from palaverd.tools.failures import ToolError
from palaverd.tools.files.opened import read_whole
from palaverd.tools.workspace import Missing, Place, Workspace

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o666  # of a new file, less the person's umask


class Change(msgspec.Struct, frozen=True):
    """A file's content before (None: there is none) and after; `mode` are its permissions."""

    path: str
    before: bytes | None
    after: bytes
    mode: int | None = None


class Mark(msgspec.Struct, frozen=True):
    """A change by the SHA-256 of the content before and after, in hexadecimal."""

    path: str
    before: str | None
    after: str


State = Literal["before", "after", "other"]


def marks_of(changes: Sequence[Change]) -> str:
    """Return the trace of changes, for the journal."""
    marks = [Mark(one.path, _optional_digest(one.before), _digest(one.after)) for one in changes]
    return msgspec.json.encode(marks).decode()


def states_of(workspace: Workspace, trace: str) -> dict[str, State]:
    """Return for each file of a trace whether its change was made."""
    return {
        mark.path: _state(workspace, mark) for mark in msgspec.json.decode(trace, type=list[Mark])
    }


def current(workspace: Workspace, path: str) -> Change:
    """Return a file as a change that changes nothing; one that does not exist is empty after it.

    Raises:
        ToolError: it is no regular file, too large, or cannot be read.
    """
    try:
        with workspace.place(path) as place:
            if not _exists(place):
                return Change(place.path, None, b"")
    except Missing:
        return Change(path, None, b"")
    found = read_whole(workspace, path)
    return Change(found.path, found.data, found.data, found.mode)


def write(workspace: Workspace, changes: Sequence[Change], call_id: str) -> None:
    """Write all changes: first each to a file beside it, then each by a rename.

    Raises:
        ToolError: nothing was written, or the message says what was.
    """
    with _prepared(workspace, changes, call_id) as prepared:
        done: list[str] = []
        for change, place, name in prepared:
            try:
                _check_unchanged(workspace, change)
                os.rename(name, place.name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
            except (OSError, ToolError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                written = f" Written were: {', '.join(done)}." if done else " Nothing was written."
                raise ToolError(f"{change.path} was not written: {why}.{written}") from None
            done.append(change.path)


@contextmanager
def _prepared(
    workspace: Workspace, changes: Sequence[Change], call_id: str
) -> Iterator[list[tuple[Change, Place, str]]]:
    """Write each new content beside its file, and remove what was not renamed."""
    with ExitStack() as opened:
        prepared: list[tuple[Change, Place, str]] = []
        for number, change in enumerate(changes):
            place = opened.enter_context(workspace.place(change.path, make=True))
            name = f".palaver-{call_id}-{number}"
            opened.callback(_remove, place, name)
            try:
                mode = _MODE & ~workspace.umask if change.mode is None else change.mode
                _write_new(place, name, change, mode)
            except OSError as error:
                raise ToolError(
                    f"{change.path} was not written: {error.strerror}. Nothing was written."
                ) from None
            prepared.append((change, place, name))
        yield prepared


def _write_new(place: Place, name: str, change: Change, mode: int) -> None:
    _remove(place, name)  # of the same call, before a crash
    descriptor = os.open(name, _NEW, 0o600, dir_fd=place.directory)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(change.after)
        file.flush()
        os.fsync(descriptor)


def _remove(place: Place, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=place.directory)


def _check_unchanged(workspace: Workspace, change: Change) -> None:
    found = current(workspace, change.path)
    if found.before != change.before:
        raise ToolError("it was changed by somebody else meanwhile")


def _exists(place: Place) -> bool:
    try:
        os.stat(place.name, dir_fd=place.directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _state(workspace: Workspace, mark: Mark) -> State:
    try:
        found = _optional_digest(current(workspace, mark.path).before)
    except ToolError:
        return "other"
    # Compared first: a change that changes nothing is done.
    if found == mark.after:
        return "after"
    return "before" if found == mark.before else "other"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _optional_digest(content: bytes | None) -> str | None:
    return None if content is None else _digest(content)
