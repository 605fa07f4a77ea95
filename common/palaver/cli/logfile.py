"""Read the end of a log file, follow it, and format its lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

# Bytes to read at once, from the end of the file.
STEP: Final = 64 * 1024


class LogFile:
    """A log file that another process appends to. Raises `OSError` if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._rest = b""  # an incomplete last line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def last(self, count: int) -> list[str]:
        """Return the last `count` complete lines; what follows them is for `more`.

        If this file has fewer, they begin in the previous one, as the daemon rotates them.
        """
        end = begin = self._file.seek(0, os.SEEK_END)
        text = b""
        while begin > 0 and text.count(b"\n") <= count:
            step = min(STEP, begin)
            begin = self._file.seek(begin - step)
            text = self._file.read(step) + text
        self._file.seek(end)  # not the end of now: lines were appended since
        *lines, self._rest = text.split(b"\n")
        if len(lines) < count:
            lines = self._before(count - len(lines)) + lines
        return [line.decode(errors="replace") for line in lines[max(0, len(lines) - count) :]]

    def _before(self, count: int) -> list[bytes]:
        try:
            text = self._path.with_name(f"{self._path.name}.1").read_bytes()
        except FileNotFoundError:
            return []
        return text.splitlines()[-count:]

    def more(self) -> Iterator[str]:
        """Yield the complete lines since the last read, also of a file that replaced this one."""
        yield from self._new()
        if self._replaced():
            yield from self._new()  # lines that were appended before it was replaced
            self._file.close()
            self._file, self._rest = self._path.open("rb"), b""
            yield from self._new()

    def _new(self) -> Iterator[str]:
        while chunk := self._file.read(STEP):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines)

    def _replaced(self) -> bool:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False  # being replaced
        mine = os.fstat(self._file.fileno())
        return now.st_ino != mine.st_ino or now.st_size < self._file.tell()


def for_people(line: str) -> str:
    """Return a line of the daemon's log in readable form; one that is not JSON is unchanged."""
    try:
        entry: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return line
    when, level = _local(str(entry.pop("timestamp", ""))), entry.pop("level", "")
    event, trace = entry.pop("event", ""), entry.pop("exception", None)
    words = [when, f"{level:<7}", str(event), *(f"{k}={_value(v)}" for k, v in entry.items())]
    text = " ".join(word for word in words if word)
    return f"{text}\n{trace}" if trace else text


def _value(value: object) -> str:
    if isinstance(value, str) and value and not any(c.isspace() or c in '"=' for c in value):
        return value
    return msgspec.json.encode(value).decode()


def _local(written: str) -> str:
    try:
        return datetime.fromisoformat(written).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return written
