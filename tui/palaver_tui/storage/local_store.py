"""Unsent messages and drafts on disk.

Each has a small file of its own, written whole and renamed into place, so that several clients
with one data directory never overwrite each other's. Everything here blocks: call it in a thread.
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
FOLDER = "client"  # in the data directory, beside the daemon's files


class Unsent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that the daemon has not acknowledged. Without `chat_id` it creates a chat.

    `server` is the daemon it is for; None if there was no connection yet.
    """

    key: str
    content: str
    created_at: datetime
    chat_id: str | None = None
    server: str | None = None
    model: str | None = None

    def outgoing(self) -> Outgoing:
        """Return the message for a view, in the state `waiting`."""
        return Outgoing(self.key, self.content, self.created_at, state="waiting", model=self.model)


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """The draft of a chat; `chat` is the chat's id, or `new`.

    `server` is the daemon of the chat; None if there was no connection yet.
    """

    chat: str
    text: str
    server: str | None = None


class UnreadableError(OSError):
    """Some files could not be read; the message says why. `found` are the values of the others."""

    def __init__(self, found: list[Any], errors: list[OSError]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.found = found


class LocalStore:
    """Stores unsent messages and drafts in `data_dir`. Every method may raise `OSError`.

    Those for a `server` on another machine have a folder of their own, so that chats of two daemons
    are never confused, even with equal ids.
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
        """Delete a message: the daemon has it, or the user has taken it back."""
        (self._outbox / f"{key}.json").unlink(missing_ok=True)

    def unsent(self) -> list[Unsent]:
        """Return the stored messages, oldest first. Files in another format are skipped.

        Raises:
            UnreadableError: some files could not be read; `found` has the others.
        """
        return _read_all(self._outbox, Unsent, lambda unsent: (unsent.created_at, unsent.key))

    def keep_draft(self, draft: Draft) -> None:
        """Store the draft of a chat; an empty text deletes it."""
        name = hashlib.sha256(draft.chat.encode()).hexdigest()[:32]
        path = self._drafts / f"{name}.json"
        if draft.text.strip():
            _write(path, msgspec.json.encode(draft))
        else:
            path.unlink(missing_ok=True)

    def drafts(self) -> list[Draft]:
        """Return the stored drafts, at most one for each chat. Files in another format are skipped.

        Raises:
            UnreadableError: some files could not be read; `found` has the others.
        """
        return _read_all(self._drafts, Draft, lambda draft: draft.chat)


def folder_name(server: str) -> str:
    """Return a readable name for a server's folder, unique by a hash of the address."""
    readable = "".join(letter if letter.isalnum() else "-" for letter in server)[:40]
    return f"{readable}-{hashlib.sha256(server.encode()).hexdigest()[:12]}"


def _write(path: Path, content: bytes) -> None:
    missing = takewhile(lambda folder: not folder.exists(), path.parents)
    for folder in reversed([*missing]):  # `mkdir(parents=True)` makes only the last one private
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
            continue  # a newer client's format, or deleted meanwhile by another client
        except OSError as error:
            errors.append(error)
    found.sort(key=order)
    if errors:
        raise UnreadableError(found, errors)
    return found
