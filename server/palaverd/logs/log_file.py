"""The log file of a daemon that a client started: rotated when it is full."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

MOST_BYTES: Final = 10 * 1024 * 1024  # a few months of an ordinary daemon; quick to search
KEPT: Final = 5  # full files beside the current one; `palaverd.log.1` is the newest


class RotatedFile:
    """The file at `path`, which is open as the descriptors `fds`.

    A rotation points these descriptors to the new file, so that output of Python itself and of C
    libraries goes there too. Only the process that holds the data directory may rotate.
    """

    def __init__(
        self, path: Path, fds: tuple[int, ...], most: int = MOST_BYTES, kept: int = KEPT
    ) -> None:
        self._path = path
        self._fds = fds
        self._most = most
        self._kept = kept
        self._again_at = 0  # bytes; a rotation that failed is not retried with every line

    @classmethod
    def find(cls, path: Path, stream: TextIO) -> RotatedFile | None:
        """Return the file at `path` if `stream` writes to it, else None: not to be rotated."""
        try:
            own = stream.fileno()
        except (OSError, ValueError):
            return None  # it has no file descriptor
        fds = tuple(fd for fd in {own, 1, 2} if _is_open_as(path, fd))
        return cls(path, fds) if own in fds else None

    def rotate_if_full(self) -> None:
        """Start a new file if this one is full. If that fails, this one continues to grow."""
        with suppress(OSError):
            size = os.fstat(self._fds[0]).st_size
            if size < max(self._most, self._again_at):
                return
            self._again_at = size + self._most
            self._rotate()
            self._again_at = 0

    def _rotate(self) -> None:
        new = self._path.with_name(f"{self._path.name}.new")
        opened = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            for number in range(self._kept - 1, 0, -1):
                with suppress(FileNotFoundError):
                    self._old(number).replace(self._old(number + 1))
            self._path.replace(self._old(1))
            new.replace(self._path)
            for fd in self._fds:
                os.dup2(opened, fd, inheritable=os.get_inheritable(fd))
        finally:
            os.close(opened)

    def _old(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _is_open_as(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except OSError:
        return False  # no such file, or a closed descriptor
