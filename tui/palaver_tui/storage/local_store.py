"""Unsent messages and drafts on disk.

Words are written to their new place before they leave the old one, so that a client that is killed
loses none. What is in both places then is told apart: a message names the draft that it was written
in, and its version; a draft or message names the messages that were taken back into it, and a draft
the drafts of ended clients that it contains. Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import msgspec

from palaver.workspaces import NO_WORKSPACE, WantedWorkspace
from palaver_tui.state.chat import Outgoing
from palaver_tui.storage.owned_files import OwnedFiles, Stored

T = TypeVar("T")
Unreadable = list[tuple[str, str]]  # names of files, and why they have no value
FOLDER = "client"  # in the data directory, beside the daemon's files


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the words of a message were before.

    `draft` is the name of a draft's file: up to `version` what it says is in the message. `taken`
    are the keys of messages that were taken back for it.
    """

    draft: str = ""
    version: int = 0
    taken: list[str] = []


class Unsent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that the daemon has not acknowledged. Without `chat_id` it creates a chat.

    `server` is the daemon it is for; None if there was no connection yet. `workspace` is the
    directory of the chat that it creates.
    """

    key: str
    content: str
    created_at: datetime
    chat_id: str | None = None
    server: str | None = None
    model: str | None = None
    origin: Origin = Origin()
    workspace: WantedWorkspace = NO_WORKSPACE

    def outgoing(self) -> Outgoing:
        """Return the message for a view, in the state `waiting`."""
        return Outgoing(
            self.key,
            self.content,
            self.created_at,
            state="waiting",
            model=self.model,
            workspace=self.workspace,
        )


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """The draft of a chat; `chat` is the chat's id, or `new`. `edits` are texts of edited messages.

    `server` is the daemon of the chat; None if there was no connection yet. `version` counts the
    saves of a client. `adopted` are digests of files whose words it contains, `taken` the keys of
    messages that were taken back into it: they may still be there.
    """

    chat: str
    text: str
    server: str | None = None
    edits: str = ""
    version: int = 0
    adopted: list[str] = []
    taken: list[str] = []

    @property
    def words(self) -> str:
        """The text and the edits."""
        return joined(self.text, self.edits)


class UnreadableError(OSError):
    """Some files could not be read; the message says why, and where each is.

    `found` are the values of the others.
    """

    def __init__(self, found: list[Any], aside: list[str]) -> None:
        super().__init__("; ".join(aside))
        self.found = found


class LocalStore:
    """Stores unsent messages and drafts of one client in `data_dir`. Methods may raise `OSError`.

    Those for a `server` on another machine have a folder of their own, so that chats of two daemons
    are never confused, even with equal ids. Clients with one data directory have files of their
    own; what an ended one has left, the next one takes over. A store that is closed owns nothing.
    """

    def __init__(self, data_dir: Path, server: str | None = None) -> None:
        folder = data_dir / FOLDER
        if server is not None:
            folder = folder / "servers" / folder_name(server)
        self._outbox = OwnedFiles(folder / "outbox")
        self._drafts = OwnedFiles(folder / "drafts")
        self._client = uuid4().hex[:12]
        # By chat: the files that were claimed, with digests of them; and those whose words its
        # draft has since a version, until they are deleted.
        self._claimed: dict[str, dict[str, str]] = {}
        self._adopted: dict[str, dict[str, tuple[str, int]]] = {}

    def close(self) -> None:
        """Leave everything to other clients."""
        self._outbox.close()
        self._drafts.close()

    # --- messages -------------------------------------------------------------------------

    def keep(self, unsent: Unsent) -> None:
        """Store a message until `drop`."""
        self._outbox.write(f"{unsent.key}.json", msgspec.json.encode(unsent))

    def drop(self, key: str) -> None:
        """Delete a message: the daemon has it, or it was taken back into a draft."""
        self._outbox.delete(f"{key}.json")

    def unsent(self) -> list[Unsent]:
        """Return the stored messages of all clients, oldest first."""
        found = [unsent for _, unsent in _decoded(self._outbox.all("*.json"), Unsent, [])]
        return sorted(found, key=attrgetter("created_at", "key"))

    def claim_unsent(self, wanted: Callable[[Unsent], bool]) -> list[Unsent]:
        """Take over the `wanted` messages of ended clients, and return them, oldest first.

        Those that were taken back into a draft or another message are deleted.

        Raises:
            UnreadableError: some files could not be read, and were put aside.
        """
        self._outbox.finish_halves(_is_whole(Unsent))
        aside: list[str] = []
        taken = self._taken()
        bad: Unreadable = []
        found = []
        for stored, unsent in _decoded(self._outbox.claim("*.json", aside), Unsent, bad):
            if unsent.key in taken:
                self._erase_sent(unsent.origin)
                self._outbox.delete(stored.name)
            elif wanted(unsent):
                self._erase_sent(unsent.origin)
                found.append(unsent)
            else:
                self._outbox.release(stored.name)
        aside += [self._outbox.put_aside(name, why) for name, why in bad]
        found.sort(key=attrgetter("created_at", "key"))
        if aside:
            raise UnreadableError(found, aside)
        return found

    def _erase_sent(self, origin: Origin) -> None:
        """Erase what an ended client has left of a draft after its words became a message."""
        if not origin.draft:
            return
        for stored, draft in _decoded(self._drafts.claim(origin.draft, []), Draft, []):
            if draft.version > origin.version:
                self._drafts.release(stored.name)
            elif draft.edits:
                only_edits = msgspec.structs.replace(draft, text="")
                self._drafts.write(stored.name, msgspec.json.encode(only_edits))
                self._drafts.release(stored.name)
            else:
                self._drafts.delete(stored.name)

    def _taken(self) -> set[str]:
        drafts = (draft for _, draft in _decoded(self._drafts.all("*.json"), Draft, []))
        by_messages = {key for unsent in self.unsent() for key in unsent.origin.taken}
        return {key for draft in drafts for key in draft.taken} | by_messages

    # --- drafts ---------------------------------------------------------------------------

    def draft_name(self, chat: str) -> str:
        """Return the name of the file of this client's draft of a chat."""
        return f"{_digest(chat.encode())}.{self._client}.json"

    def keep_draft(self, draft: Draft) -> None:
        """Store the draft of a chat; without words it is deleted.

        Then delete the drafts of ended clients whose words it has.
        """
        all_adopted = self._adopted.get(draft.chat, {})
        adopted = {
            name: digest for name, (digest, since) in all_adopted.items() if draft.version >= since
        }
        name = self.draft_name(draft.chat)
        if draft.words:
            stored = msgspec.structs.replace(draft, adopted=[*adopted.values()])
            self._drafts.write(name, msgspec.json.encode(stored))
        else:
            self._drafts.delete(name)
        for source in [*adopted]:
            self._drafts.delete(source)
            del all_adopted[source]

    def adopted(self, chat: str, version: int) -> bool:
        """Note that a chat's draft has the words of what was claimed for it, since `version`.

        Returns whether anything was.
        """
        files = self._claimed.pop(chat, {})
        since = {name: (digest, version) for name, digest in files.items()}
        self._adopted.setdefault(chat, {}).update(since)
        return bool(files)

    def drafts(self) -> list[Draft]:
        """Return the stored drafts of all clients, by chat, the newest one of a chat last."""
        found = [*_decoded(self._drafts.all("*.json"), Draft, [])]
        found.sort(key=lambda one: (one[1].chat, one[0].saved_ns))
        return [_plain(draft) for _, draft in found]

    def left_drafts(self) -> list[Draft]:
        """Return the drafts of ended clients, by chat. They stay where they are.

        Raises:
            UnreadableError: some files could not be read, and were put aside.
        """
        self._drafts.finish_halves(_is_whole(Draft))
        return self._read_drafts("*.json", self._drafts.free)

    def claim_drafts(self, chat: str) -> list[Draft]:
        """Take over the drafts of a chat that ended clients have left; the newest one is the last.

        They stay on disk until a draft that has their words is saved (`adopted`). What was sent
        from them, or adopted from one by another, is left out.

        Raises:
            UnreadableError: some files could not be read, and were put aside.
        """
        return self._read_drafts(f"{_digest(chat.encode())}*.json", self._drafts.claim, chat)

    def _read_drafts(
        self,
        pattern: str,
        read: Callable[[str, list[str]], list[Stored]],
        claims: str | None = None,
    ) -> list[Draft]:
        aside: list[str] = []
        files = sorted(read(pattern, aside), key=attrgetter("saved_ns", "name"))
        bad: Unreadable = []
        decoded = [*_decoded(files, Draft, bad)]
        aside += [self._drafts.put_aside(name, why) for name, why in bad]
        if claims is not None:
            digests = {stored.name: _digest(stored.content) for stored, _ in decoded}
            self._claimed.setdefault(claims, {}).update(digests)
        contained = {digest for _, draft in decoded for digest in draft.adopted}
        found = [
            self._without_sent(stored.name, draft)
            for stored, draft in decoded
            if _digest(stored.content) not in contained
        ]
        found = [_plain(draft) for draft in found if draft.words]
        if aside:
            raise UnreadableError(found, aside)
        return found

    def _without_sent(self, name: str, draft: Draft) -> Draft:
        """Return a draft without the text that a message in the outbox has."""
        origins = (unsent.origin for unsent in self.unsent())
        is_sent = any(one.draft == name and one.version >= draft.version for one in origins)
        return msgspec.structs.replace(draft, text="") if is_sent else draft


def joined(*texts: str) -> str:
    """Return several texts as paragraphs of one, without empty ones."""
    return "\n\n".join(text for text in texts if text.strip())


def folder_name(server: str) -> str:
    """Return a readable name for a server's folder, unique by a hash of the address."""
    readable = "".join(letter if letter.isalnum() else "-" for letter in server)[:40]
    return f"{readable}-{hashlib.sha256(server.encode()).hexdigest()[:12]}"


def _plain(draft: Draft) -> Draft:
    return Draft(draft.chat, draft.words, draft.server)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _is_whole(kind: type[Any]) -> Callable[[bytes], bool]:
    def is_whole(content: bytes) -> bool:
        try:
            msgspec.json.decode(content, type=kind)
        except msgspec.DecodeError:
            return False
        return True

    return is_whole


def _decoded(files: list[Stored], kind: type[T], bad: Unreadable) -> Iterator[tuple[Stored, T]]:
    """Yield the values of files; the names of those that have none go to `bad`, with the reason."""
    for stored in files:
        try:
            value = msgspec.json.decode(stored.content, type=kind)
        except msgspec.DecodeError as error:
            bad.append((stored.name, str(error)))
            continue
        yield stored, value
