"""Files that belong to the client that wrote them, as long as that runs.

Each is written whole, renamed into place, and kept open with a lock (`flock`), which ends with its
process, however that ends. A file whose lock is free belongs to a client that has ended: whoever
gets the lock owns it. On a file system without locks every file counts as free: a text may be had
twice there, but is not lost. Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple

HALF: Final = ".tmp"  # the end of the name of a file that is being written
ASIDE: Final = ".unreadable"  # the end of the name of a file that was put aside
# A file may be locked by a client that only looks whether it is free. That takes microseconds.
TRIES: Final = 50
PAUSE_S: Final = 0.002


class Stored(NamedTuple):
    """The content of a file; `saved_ns` is when it was written, in nanoseconds of the Unix time."""

    name: str
    content: bytes
    saved_ns: int


class OwnedFiles:
    """The files of one folder, and those of them that belong to this client.

    Every method may raise `OSError`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: dict[str, int] = {}  # the open files of this client, by name
        self._is_closed = False

    def __del__(self) -> None:
        """Own nothing any more."""
        self.close()

    def close(self) -> None:
        """Leave all files to other clients, also those that are still being written."""
        self._is_closed = True
        for name in [*self._held]:
            self._release(name)

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole, and own it. If that fails, the file is as it was."""
        _make_folder(self.folder)
        half = self.folder / f"{name}{HALF}"
        file = _locked(half)
        try:
            os.ftruncate(file, 0)
            _write_all(file, content)
            os.fsync(file)
            half.replace(self.folder / name)
        except BaseException:
            os.close(file)
            half.unlink(missing_ok=True)
            raise
        self._hold(name, file)
        self._sync()

    def delete(self, name: str) -> None:
        """Delete a file, and own it no longer."""
        path = self.folder / name
        if path.exists():
            path.unlink()
            self._sync()
        self._release(name)

    def release(self, name: str) -> None:
        """Leave a file to other clients."""
        self._release(name)

    def all(self, pattern: str) -> list[Stored]:
        """Return the readable files that match `pattern`, whoever owns them."""
        found = []
        for path in self.folder.glob(pattern):
            try:
                with path.open("rb") as file:
                    found.append(_stored(path.name, file.fileno()))
            except OSError:
                continue  # deleted meanwhile, or put aside by who claims it
        return found

    def free(self, pattern: str, aside: list[str]) -> list[Stored]:
        """Return the files of ended clients that match `pattern`, without owning them.

        Files that cannot be read are put aside, with a sentence for each in `aside`.
        """
        return self._each(pattern, lambda path: self._open(path, fcntl.LOCK_SH, os.close), aside)

    def claim(self, pattern: str, aside: list[str]) -> list[Stored]:
        """Return the files of ended clients that match `pattern`, and own them from now on."""

        def own(path: Path) -> Stored | None:
            return self._open(path, fcntl.LOCK_EX, lambda file: self._hold(path.name, file))

        return self._each(pattern, own, aside)

    def put_aside(self, name: str, why: str) -> str:
        """Rename a file that cannot be read, and return a sentence that says where it is."""
        path = self.folder / name
        to, number = path.with_name(f"{name}{ASIDE}"), 1
        while to.exists():
            number += 1
            to = path.with_name(f"{name}{ASIDE}-{number}")
        try:
            path.rename(to)
        except OSError:
            to = path
        self._release(name)
        return f"{why}; it is kept in {to}"

    def finish_halves(self, is_whole: Callable[[bytes], bool]) -> None:
        """Rename what ended clients had written but not renamed, and delete what is not whole."""
        for path in self.folder.glob(f"*.json{HALF}"):
            try:
                stored = self._open(path, fcntl.LOCK_EX, os.close)
                if stored is None:
                    continue
                if is_whole(stored.content):
                    path.replace(path.with_name(path.name.removesuffix(HALF)))
                else:
                    path.unlink()
            except OSError:
                continue  # what it was to replace is still there

    def _each(
        self, pattern: str, read: Callable[[Path], Stored | None], aside: list[str]
    ) -> list[Stored]:
        found = []
        for path in sorted(self.folder.glob(pattern)):
            if path.name in self._held:
                continue
            try:
                stored = read(path)
            except FileNotFoundError:
                continue  # deleted meanwhile by another client
            except OSError as error:
                aside.append(self.put_aside(path.name, str(error)))
                continue
            if stored is not None:
                found.append(stored)
        return found

    def _open(self, path: Path, how: int, then: Callable[[int], object]) -> Stored | None:
        """Return a file if its lock is free, None if a client that runs owns it.

        `then` gets the open and locked file.
        """
        file = os.open(path, os.O_RDONLY)
        try:
            if not _lock(file, how) or not _is_same(file, path):
                os.close(file)
                return None
            stored = _stored(path.name, file)
        except BaseException:
            os.close(file)
            raise
        then(file)
        return stored

    def _hold(self, name: str, file: int) -> None:
        self._release(name)
        self._held[name] = file
        if self._is_closed:
            self._release(name)

    def _release(self, name: str) -> None:
        if (file := self._held.pop(name, None)) is not None:
            os.close(file)

    def _sync(self) -> None:
        """Have the folder's entries on the disk, in the order in which they were changed."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # folders cannot be synced there
                raise
        finally:
            os.close(folder)


def _lock(file: int, how: int) -> bool:
    """Lock an open file; return False if it belongs to a client that runs."""
    for _ in range(TRIES):
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        except OSError:
            return True  # this file system has no locks
        else:
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(file, fcntl.LOCK_UN)  # somebody only looks at it
        time.sleep(PAUSE_S)
    return False


def _locked(path: Path) -> int:
    """Open a file for writing, and lock it before another client can take it for left behind."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            return file  # this file system has no locks
        if _is_same(file, path):
            return file
        os.close(file)


def _is_same(file: int, path: Path) -> bool:
    """Return whether an open file is the one at `path`, and was not replaced or deleted."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _stored(name: str, file: int) -> Stored:
    with open(file, "rb", closefd=False) as reader:
        content = reader.read()
    return Stored(name, content, os.fstat(file).st_mtime_ns)


def _write_all(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def _make_folder(folder: Path) -> None:
    missing = takewhile(lambda one: not one.exists(), (folder, *folder.parents))
    for one in reversed([*missing]):  # `mkdir(parents=True)` makes only the last one private
        one.mkdir(exist_ok=True, mode=0o700)
