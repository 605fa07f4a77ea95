"""Which commands there are: a file for each, so that the next daemon finds those that still run.

A command in the foreground has its file until its result is known. One that goes on beside the
chat has a name, and keeps its file as long as the chat is there. Every function blocks.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog

log = structlog.get_logger("palaverd.tools")

SUFFIX = ".json"


class Record(msgspec.Struct, frozen=True):
    """One command. `at` is when it was to begin, in milliseconds since the epoch.

    `boot` names the start of the machine. `name` is short and unique in the chat; None in the
    foreground.
    """

    chat_id: str
    call_id: str
    command: str
    at: int
    boot: str
    name: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Its chat and its call, by which it is found."""
        return self.chat_id, self.call_id


class Records:
    """The directory of the files; it is made with the first one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, record: Record) -> None:
        """Store a record, or change it, in one step.

        Raises:
            OSError: it cannot be stored.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(record)
        temporary = path.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(record))
        temporary.rename(path)

    def remove(self, record: Record) -> None:
        """Remove a record."""
        self._path(record).unlink(missing_ok=True)

    def all(self) -> list[Record]:
        """Return the records, oldest first. A file that is none is left out, with a warning."""
        found = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Record))
            except (OSError, msgspec.DecodeError) as error:
                log.warning("record of a command not read", file=path.name, error=str(error))
        return sorted(found, key=lambda one: (one.at, one.key))

    def _path(self, record: Record) -> Path:
        return self._folder / f"{record.chat_id}.{record.call_id}{SUFFIX}"
