"""The drafts of one client: in memory immediately, on disk after `SAVE_DRAFT_S`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Set

from palaver_tui.state.chat import DRAFT
from palaver_tui.storage.local_store import Draft, LocalStore, Origin, UnreadableError, joined
from palaver_tui.timing import SAVE_DRAFT_S

NEW = "new"  # the name on disk of the draft for a chat that does not exist yet


class Drafts:
    """The drafts of one client.

    What ended clients have left for a chat is adopted when the chat is opened. `server` returns
    the address of the connected daemon, None while there is none; `later` calls a function after
    a number of seconds; `warn` is called with a sentence when the disk fails.
    """

    def __init__(
        self,
        store: LocalStore,
        *,
        server: Callable[[], str | None],
        later: Callable[[float, Callable[[], Awaitable[None]]], object],
        warn: Callable[[str], None],
    ) -> None:
        self._store = store
        self._server = server
        self._later = later
        self._warn = warn
        self._texts: dict[str, str] = {}
        self._edits: dict[str, str] = {}  # the texts of edits, by chat
        self._servers: dict[str, str | None] = {}  # the daemons of those chats
        self._left: set[str] = set()  # chats for which ended clients have left drafts
        self._taken: dict[str, list[str]] = {}  # keys of messages that were taken back, by chat
        self._sending: dict[
            str, asyncio.Future[None]
        ] = {}  # messages that are being stored, by key
        self._unstored: dict[str, tuple[str, str]] = {}  # chat and text of those that could not be
        self._moves: dict[str, set[str]] = {}  # where texts of a chat have gone that are not saved
        self._version = 0
        self._unsaved: set[str] = set()
        self._scheduled = False
        self._is_closed = False
        self._saving = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None
        self._adopting: dict[str, asyncio.Task[None]] = {}
        self._note: Callable[[], None] = lambda: None
        self._done: Callable[[], None] = lambda: None

    # --- reading --------------------------------------------------------------------------

    @property
    def chats(self) -> frozenset[str]:
        """The ids of chats with a draft; `NEW` for one that does not exist yet."""
        written = {chat for chat, text in self._texts.items() if text.strip()} | self._left
        return frozenset(chat for chat in written if not chat.startswith(DRAFT))

    @property
    def here(self) -> frozenset[str]:
        """The ids of chats with a draft that belong to the connected daemon."""
        server = self._server()
        chats = self.chats - {NEW}
        return frozenset(one for one in chats if server and self._servers.get(one) == server)

    def texts(self) -> list[str]:
        """Return the drafts of all chats, except those of ended clients."""
        return [*self._texts.values()]

    def get(self, name: str) -> str:
        """Return the draft of the chat `name`; empty if there is none."""
        return self._texts.get(self._slot(name), "")

    def is_new(self, name: str) -> bool:
        """Return whether `name` is a new chat without messages, whose draft is that of `NEW`."""
        return self._slot(name) == NEW

    def is_left(self, name: str) -> bool:
        """Return whether an ended client has left a draft of the chat `name`."""
        return name in self._left

    def _slot(self, name: str) -> str:
        """Return the key of a draft: chats without messages that do not exist yet share one."""
        return NEW if name.startswith(DRAFT) and name not in self._texts else name

    # --- writing --------------------------------------------------------------------------

    def begin(self, name: str) -> None:
        """Keep the draft of the unborn chat `name` apart: its first message is sent.

        On disk it is still a part of `NEW`, until `end`.
        """
        if name.startswith(DRAFT) and name not in self._texts:
            self._texts[name] = self._texts.pop(NEW, "")

    def end(self, name: str, to: str) -> str:
        """Forget the draft of a chat that was begun and is `to` now; return its text."""
        if not name.startswith(DRAFT) or name not in self._texts:
            return ""
        self._save_soon(NEW)
        self.moved(NEW, to)
        return self._texts.pop(name)

    def moved(self, name: str, to: str) -> None:
        """Note that words of one chat go to the draft of another: they are saved there first."""
        if _chat(name) != _chat(to):
            self._moves.setdefault(_chat(name), set()).add(_chat(to))

    def put(self, name: str, text: str) -> None:
        """Set the draft of the chat `name` to `text`, and schedule saving it."""
        slot = self._slot(name)
        if self._texts.get(slot, "") == text:
            return
        self._texts[slot] = text
        self._save_soon(_chat(slot))

    def put_edits(self, name: str, text: str) -> None:
        """Set the text of the edits in the chat `name`. On disk it is a part of the draft."""
        chat = _chat(name)
        if self._edits.get(chat, "") != text:
            self._edits[chat] = text
            self._save_soon(chat)

    # --- messages that are sent, and taken back -------------------------------------------

    def send(self, name: str, key: str) -> Origin:
        """Note that the draft of `name` is a message now, and return its origin.

        Nothing is saved until the message is on disk (`stored`) or cannot be (`not_stored`).
        """
        chat = _chat(name)
        self._sending[key] = asyncio.get_running_loop().create_future()
        taken = [*self._taken.get(chat, [])]
        if self._words(chat)[0] or chat in self._moves:
            return Origin(taken=taken)  # what is stored has other words, too
        return Origin(self._store.draft_name(chat), self._version, taken)

    def stored(self, key: str) -> None:
        """Note that a message is on disk: its words leave the draft there."""
        if (sending := self._sending.pop(key, None)) is not None:
            sending.set_result(None)

    def not_stored(self, name: str, key: str, text: str) -> None:
        """Keep the text of a message on disk with the draft: the outbox does not have it."""
        self._unstored[key] = _chat(name), text
        self._save_soon(_chat(name))
        self.stored(key)

    def sent(self, key: str) -> None:
        """Note that the daemon has a message, or that its text is taken back."""
        if key in self._unstored:
            chat, _ = self._unstored.pop(key)
            self._save_soon(chat)

    def take_back(self, name: str, key: str) -> None:
        """Note that the text of a message will be in the draft of `name`."""
        self._taken.setdefault(_chat(name), []).append(key)
        self.sent(key)
        self._save_soon(_chat(name))

    def forget(self, key: str) -> None:
        """Note that a message is deleted from the outbox."""
        self.sent(key)
        for keys in self._taken.values():
            if key in keys:
                keys.remove(key)

    # --- what ended clients have left -----------------------------------------------------

    def shown_by(self, note: Callable[[], None], done: Callable[[], None]) -> None:
        """Set the functions that connect the drafts with a screen.

        What was written while a draft was read comes after it: `note` is called to put the last of
        it, then `done` to show the result.
        """
        self._note, self._done = note, done

    async def load(self) -> None:
        """Find the chats for which ended clients have left drafts."""
        for draft in await self._from_disk(self._store.left_drafts):
            self._left.add(draft.chat)
            self._servers[draft.chat] = self._servers.get(draft.chat) or draft.server
        self._note()
        self._done()

    def open(self, name: str) -> None:
        """Adopt what ended clients have left for the chat `name`, in the background."""
        self._adopt_soon(self._slot(name))

    async def adopt(self, name: str) -> None:
        """Adopt what ended clients have left for the chat `name`."""
        await asyncio.shield(self._adopt_soon(self._slot(name)))

    def _adopt_soon(self, slot: str) -> asyncio.Task[None]:
        chat = _chat(slot)
        if (running := self._adopting.get(chat)) is None:
            running = self._adopting[chat] = asyncio.create_task(self._adopt(chat))
            running.add_done_callback(lambda _: self._adopting.pop(chat, None))
        return running

    async def _adopt(self, chat: str) -> None:
        found = await self._from_disk(lambda: self._store.claim_drafts(chat))
        self._left.discard(chat)
        if self._is_closed:
            return
        self._note()
        written = self._texts.get(chat, "")
        earlier = [draft.text for draft in found]
        if self._store.adopted(chat, self._version + 1):
            self._save_soon(chat)
        if not found:
            return
        self._texts[chat] = joined(*earlier, "" if written in earlier else written)
        self._servers[chat] = self._servers.get(chat) or found[-1].server
        self._done()

    async def _from_disk(self, read: Callable[[], list[Draft]]) -> list[Draft]:
        try:
            return await asyncio.to_thread(read)
        except UnreadableError as error:
            self._warn(f"Could not read some of your drafts: {error}.")
            found: list[Draft] = error.found
            return found
        except OSError as error:
            self._warn(f"Could not read your drafts: {error}.")
            return []

    # --- saving ---------------------------------------------------------------------------

    def _save_soon(self, chat: str) -> None:
        self._servers[chat] = self._server() or self._servers.get(chat)
        self._unsaved.add(chat)
        if not self._scheduled:
            self._scheduled = True
            self._later(SAVE_DRAFT_S, self.save)

    def _words(self, chat: str) -> tuple[str, str]:
        """Return what is stored for a chat: its text, and its edits."""
        begun = sorted(name for name in self._texts if chat == NEW and name.startswith(DRAFT))
        others = [self._texts[name] for name in begun]
        unstored = [text for of, text in self._unstored.values() if of == chat]
        return joined(*unstored, self._texts.get(chat, ""), *others), self._edits.get(chat, "")

    async def are_saved(self) -> bool:
        """Write the unsaved drafts to disk; return whether all are there."""
        await self.save()
        return not self._unsaved

    async def close(self) -> None:
        """Save for the last time. What is being adopted is left to the next client."""
        self._is_closed = True
        await self.save()

    async def save(self) -> None:
        """Write the unsaved drafts to disk, including those of a cancelled save.

        A draft that cannot be written does not prevent the others, and is left to the next save.
        """
        self._scheduled = False
        failed: dict[str, OSError] = {}
        async with self._saving:
            while True:
                if self._writing is not None:
                    await asyncio.wait({self._writing})  # else it could overwrite a newer one
                while self._sending:
                    await asyncio.wait([*self._sending.values()])
                if (chat := self._next(failed.keys())) is None:
                    break
                words, moves = self._words(chat), self._moves.pop(chat, set())
                self._version += 1
                draft = Draft(
                    chat,
                    words[0],
                    self._servers.get(chat) or self._server(),
                    words[1],
                    self._version,
                    taken=[*self._taken.get(chat, [])],
                )
                self._writing = asyncio.create_task(
                    asyncio.to_thread(self._store.keep_draft, draft)
                )
                try:
                    await asyncio.shield(self._writing)
                except OSError as error:
                    failed[chat] = error
                    self._moves.setdefault(chat, set()).update(moves)
                    continue
                if self._words(chat) == words:
                    self._unsaved.discard(chat)
        if failed:
            reasons = "; ".join(sorted({str(error) for error in failed.values()}))
            self._warn(f"Could not keep your draft on disk: {reasons}.")

    def _next(self, failed: Set[str]) -> str | None:
        """Return the next chat to save, None if there is none.

        One whose words have moved comes after the one where they are now, and not at all if that
        could not be saved: they are never in neither file.
        """
        before = {chat: self._moves.get(chat, set()) & self._unsaved for chat in self._unsaved}
        left = [chat for chat in self._unsaved - failed if not before[chat] & failed]
        # If words were exchanged, none is first.
        return max(left, key=lambda chat: (not before[chat], chat != NEW), default=None)


def _chat(name: str) -> str:
    return NEW if name.startswith(DRAFT) else name
