"""Files as lines of text."""

from __future__ import annotations

import codecs
import io
import os
import stat
from collections.abc import Iterator
from typing import Literal

import msgspec

# Bytes. What a search reads of one file at most; logs and dumps beyond that need a program of
# their own.
LARGEST = 256 * 1024 * 1024
# As git decides it: a zero byte in so many bytes.
_HEAD = 8000
# Letters of a line that are looked at together; no line that people write is as long.
_LONGEST = 1024 * 1024
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Unsearched = Literal["unreadable", "binary", "too large"]


class TextFile(msgspec.Struct, frozen=True):
    """An open file of `size` bytes that is text, in `code`."""

    path: str
    descriptor: int
    size: int
    code: str

    def lines(self) -> Iterator[str]:
        """Yield the lines without their ends, of at most `_LONGEST` letters each.

        What is appended meanwhile is not read.
        """
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        raw = io.BufferedReader(_Bounded(self.descriptor, self.size), 256 * 1024)
        with io.TextIOWrapper(raw, self.code, errors="replace", newline="\n") as text:
            while line := text.readline(_LONGEST):
                yield line.removesuffix("\n").removesuffix("\r")
                while len(line) == _LONGEST and not line.endswith("\n"):
                    line = text.readline(_LONGEST)


class _Bounded(io.RawIOBase):
    """The first bytes of an open file, which stays open."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)[: self._left]  # type: ignore[arg-type]
        count = os.readv(self._descriptor, [view]) if view else 0
        self._left -= count
        return count


def open_text(directory: int, name: str, path: str) -> TextFile | Unsearched:
    """Open a regular text file in an open directory; return why it is none. Waits for no pipe."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=directory)
    except OSError:
        return "unreadable"
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            unsearched: Unsearched = "unreadable"
        elif found.st_size > LARGEST:
            unsearched = "too large"
        else:
            head = os.pread(descriptor, _HEAD, 0)
            code = next((code for mark, code in _MARKED if head.startswith(mark)), "utf-8")
            if code == "utf-16" or b"\0" not in head:
                return TextFile(path, descriptor, found.st_size, code)
            unsearched = "binary"
    except OSError:
        unsearched = "unreadable"
    os.close(descriptor)
    return unsearched
