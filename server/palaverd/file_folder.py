"""The directory of files that clients sent, beside the database.

A file is written under a temporary name, synced, and renamed before its row is committed. So a row
always has its file; what a crash leaves without a row is removed later (`retention.py`).
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar
from uuid import uuid4

T = TypeVar("T")

_PRIVATE_DIR: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_HEAD: Final = 4096  # bytes that are kept to recognise the type: signatures are in the first ones
_UNFINISHED: Final = ".part"
# What is not named like this was put here by someone else, and is left alone.
_OURS: Final = re.compile(r"[0-9a-z]{12}|[0-9a-f]{32}\.part")


class FolderError(Exception):
    """A file could not be stored or read; nothing was changed. `sentence` is for users."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class ReceivedFile:
    """A file while it arrives, under its temporary name.

    `size` is in bytes, `head` are the first ones.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._file = file
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The SHA-256 of what has arrived, in hexadecimal."""
        return self._hash.hexdigest()

    async def write(self, piece: bytes) -> None:
        """Append bytes.

        Raises:
            FolderError: they cannot be stored.
        """
        self.size += len(piece)
        self.head = (self.head + piece[:_HEAD])[:_HEAD]

        def append() -> None:
            self._hash.update(piece)
            self._file.write(piece)

        await _in_thread(append)


class FileFolder:
    """The directory at `path`; it is created when the first file arrives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arriving: set[str] = set()

    def path_of(self, file_id: str) -> Path:
        """Return the path of a stored file."""
        return self._path / file_id

    @asynccontextmanager
    async def receive(self) -> AsyncIterator[ReceivedFile]:
        """Yield a new file. It is removed at the end of the block, unless it was kept.

        Raises:
            FolderError: it cannot be created.
        """
        path = self._path / f"{uuid4().hex}{_UNFINISHED}"
        self._arriving.add(path.name)
        creating = asyncio.ensure_future(_in_thread(lambda: self._create(path)))
        try:
            yield ReceivedFile(path, await asyncio.shield(creating))
        finally:
            await _to_its_end(self._forget(path, creating))

    async def _forget(self, path: Path, creating: Awaitable[BinaryIO]) -> None:
        """Remove a file that was received, or is still being created: its thread goes on."""
        with suppress(FolderError):  # there is no file
            await asyncio.to_thread(_discard, path, await creating)
        self._arriving.discard(path.name)

    def _create(self, path: Path) -> BinaryIO:
        self._path.mkdir(mode=_PRIVATE_DIR, exist_ok=True)
        # Unbuffered: a full disk is reported by the write that meets it.
        return open(path, "xb", buffering=0, opener=_private)

    async def keep(self, received: ReceivedFile, file_id: str) -> None:
        """Give a whole file its name, so that it survives a power failure.

        Raises:
            FolderError: it cannot be stored.
        """

        def rename() -> None:
            os.fsync(received._file.fileno())
            kept = self.path_of(file_id)
            received.path.rename(kept)
            try:
                _sync(self._path)
            except OSError:
                kept.unlink(missing_ok=True)
                raise

        await _in_thread(rename)

    async def rename(self, file_id: str, to: str) -> None:
        """Give a stored file another name; it replaces the file that has it.

        Raises:
            FolderError: it cannot be stored.
        """

        def replace() -> None:
            self.path_of(file_id).replace(self.path_of(to))
            _sync(self._path)

        await _in_thread(replace)

    async def read(self, file_id: str, start: int, size: int) -> bytes:
        """Return `size` bytes of a stored file, from `start` on.

        Raises:
            FolderError: they cannot be read, or the file has fewer.
        """

        def part() -> bytes:
            # Opened for each part: a request that is cancelled leaves no file open.
            with self.path_of(file_id).open("rb") as file:
                file.seek(start)
                return file.read(size)

        found = await _in_thread(part, "The file cannot be read")
        if len(found) < size:
            raise FolderError(f"A part of the content of the file {file_id} is missing.")
        return found

    async def remove(self, file_ids: Collection[str]) -> None:
        """Remove files; those that are gone are no error.

        Raises:
            FolderError: one cannot be removed.
        """

        def unlink() -> None:
            for file_id in file_ids:
                self.path_of(file_id).unlink(missing_ok=True)

        await _in_thread(unlink, "A file cannot be removed")

    async def names(self, before: float) -> set[str]:
        """Return the names of ours that were written before a time, and are not being written now.

        `before` is in seconds since the epoch.

        Raises:
            FolderError: the directory cannot be read.
        """

        def listed() -> set[str]:
            if not self._path.exists():
                return set()
            with os.scandir(self._path) as entries:
                return {
                    entry.name
                    for entry in entries
                    if _OURS.fullmatch(entry.name)
                    and entry.name not in self._arriving
                    and entry.stat(follow_symlinks=False).st_mtime < before
                }

        return await _in_thread(listed, "The directory of files cannot be read")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, _PRIVATE_FILE)


def _discard(path: Path, file: BinaryIO) -> None:
    file.close()
    path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Sync a directory, so that a new name in it survives a power failure."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do work; a cancellation waits for its end.

    To cancel `asyncio.to_thread` is to leave out what no thread has begun yet.
    """
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.wait([doing])
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        raise
    doing.result()


async def _in_thread(work: Callable[[], T], what: str = "The file cannot be stored") -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise FolderError(f"{what}: {error.strerror or error}.") from error
