"""What a person typed, on disk: messages that are not with the daemon yet, and drafts.

One small file each, written whole and renamed into place, so that several clients on one data
directory never overwrite each other's. Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from palaver_tui.state.chat import Outgoing

T = TypeVar("T")
FOLDER = "client"  # in the data directory, beside what the daemon keeps there


class Unsent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that was written and not acknowledged. No `chat_id`: it begins a chat.

    `server` is where it belongs; None if no daemon had answered yet.
    """

    key: str
    content: str
    created_at: datetime
    chat_id: str | None = None
    server: str | None = None
    model: str | None = None

    def outgoing(self) -> Outgoing:
        """Return it as a view shows it: waiting for a connection."""
        return Outgoing(self.key, self.content, self.created_at, state="waiting", model=self.model)


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was being written to a chat; `chat` is its id, or `new`.

    `server` is where the chat is, None if no daemon had answered.
    """

    chat: str
    text: str
    server: str | None = None


class UnreadableError(OSError):
    """Some files could not be read, and why. `found` is what the others hold."""

    def __init__(self, found: list[Any], errors: list[OSError]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.found = found


class LocalStore:
    """Keeps unsent messages and drafts in `data_dir`. Every method raises `OSError`.

    Those for a `server` on another machine have a folder of their own: the chats of two daemons
    never meet, whatever their ids are.
    """

    def __init__(self, data_dir: Path, server: str | None = None) -> None:
        folder = data_dir / FOLDER
        if server is not None:
            folder = folder / "servers" / folder_name(server)
        self._outbox = folder / "outbox"
        self._drafts = folder / "drafts"

    def keep(self, unsent: Unsent) -> None:
        """Store a message until `drop`."""
        _write(self._outbox / f"{unsent.key}.json", msgspec.json.encode(unsent))

    def drop(self, key: str) -> None:
        """Forget a message: the daemon has it, or the person took it back."""
        (self._outbox / f"{key}.json").unlink(missing_ok=True)

    def unsent(self) -> list[Unsent]:
        """Return the stored messages, oldest first. A file that is no message stays unread.

        Raises:
            UnreadableError: some could not be read; it has the others.
        """
        return _read_all(self._outbox, Unsent, lambda unsent: (unsent.created_at, unsent.key))

    def keep_draft(self, draft: Draft) -> None:
        """Store what is being written to a chat; an empty text forgets it."""
        name = hashlib.sha256(draft.chat.encode()).hexdigest()[:32]
        path = self._drafts / f"{name}.json"
        if draft.text.strip():
            _write(path, msgspec.json.encode(draft))
        else:
            path.unlink(missing_ok=True)

    def drafts(self) -> list[Draft]:
        """Return the stored drafts, one of a chat.

        Raises:
            UnreadableError: some could not be read; it has the others.
        """
        return _read_all(self._drafts, Draft, lambda draft: draft.chat)


def folder_name(server: str) -> str:
    """Return a name for a server's folder that a person can read, and no other server has."""
    readable = "".join(letter if letter.isalnum() else "-" for letter in server)[:40]
    return f"{readable}-{hashlib.sha256(server.encode()).hexdigest()[:12]}"


def _write(path: Path, content: bytes) -> None:
    missing = takewhile(lambda folder: not folder.exists(), path.parents)
    for folder in reversed([*missing]):  # each of them private, not the last one only
        folder.mkdir(exist_ok=True, mode=0o700)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _read_all(folder: Path, kind: type[T], order: Callable[[T], Any]) -> list[T]:
    found: list[T] = []
    errors: list[OSError] = []
    for path in folder.glob("*.json"):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=kind))
        except (msgspec.DecodeError, FileNotFoundError):
            continue  # another client's newer format, or gone meanwhile: not ours to judge
        except OSError as error:
            errors.append(error)
    found.sort(key=order)
    if errors:
        raise UnreadableError(found, errors)
    return found
