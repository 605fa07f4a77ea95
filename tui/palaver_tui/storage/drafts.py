"""The drafts of all chats: in memory immediately, on disk after `SAVE_DRAFT_S`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from palaver_tui.state.chat import DRAFT
from palaver_tui.storage.local_store import Draft, LocalStore, UnreadableError
from palaver_tui.timing import SAVE_DRAFT_S

NEW = "new"  # the name on disk of the draft for a chat that does not exist yet


class Drafts:
    """The drafts of one client.

    `server` returns the address of the connected daemon, None while there is none; `later` calls
    a function after a number of seconds; `warn` is called with a sentence when the disk fails.
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
        self._unsaved: set[str] = set()
        self._scheduled = False
        self._saving = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._note: Callable[[], None] = lambda: None
        self._done: Callable[[], None] = lambda: None

    @property
    def chats(self) -> frozenset[str]:
        """The ids of chats with a draft; `NEW` for one that does not exist yet."""
        written = (chat for chat, text in self._texts.items() if text.strip())
        return frozenset(chat for chat in written if not chat.startswith(DRAFT))

    @property
    def here(self) -> frozenset[str]:
        """The ids of chats with a draft that belong to the connected daemon."""
        server = self._server()
        chats = self.chats - {NEW}
        return frozenset(one for one in chats if server and self._servers.get(one) == server)

    def texts(self) -> list[str]:
        """Return the drafts of all chats."""
        return [*self._texts.values()]

    def get(self, name: str) -> str:
        """Return the draft of the chat `name`; empty if there is none."""
        return self._texts.get(self._slot(name), "")

    def begin(self, name: str) -> None:
        """Keep the draft of the unborn chat `name` apart: its first message is sent.

        On disk it is still a part of `NEW`, until `end`.
        """
        if name.startswith(DRAFT) and name not in self._texts:
            self._texts[name] = self._texts.pop(NEW, "")

    def end(self, name: str) -> str:
        """Forget the draft of a chat that was begun and has another name now; return its text."""
        if not name.startswith(DRAFT) or name not in self._texts:
            return ""
        self._save_soon(NEW)
        return self._texts.pop(name)

    def is_new(self, name: str) -> bool:
        """Return whether `name` is a new chat without messages, whose draft is that of `NEW`."""
        return self._slot(name) == NEW

    async def are_saved(self) -> bool:
        """Write the unsaved drafts to disk; return whether all are there."""
        await self.save()
        return not self._unsaved

    def _slot(self, name: str) -> str:
        """Return the key of a draft: chats without messages that do not exist yet share one."""
        return NEW if name.startswith(DRAFT) and name not in self._texts else name

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

    def _save_soon(self, chat: str) -> None:
        self._servers[chat] = self._server() or self._servers.get(chat)
        self._unsaved.add(chat)
        if not self._scheduled:
            self._scheduled = True
            self._later(SAVE_DRAFT_S, self.save)

    def _whole(self, chat: str) -> str:
        """Return what is stored for a chat: for the next client its edits belong to the draft."""
        begun = sorted(name for name in self._texts if chat == NEW and name.startswith(DRAFT))
        others = [self._texts[name] for name in begun]
        return joined(self._texts.get(chat, ""), *others, self._edits.get(chat, ""))

    async def load(self, note: Callable[[], None], done: Callable[[], None]) -> None:
        """Read the drafts from disk.

        What was written meanwhile comes after them: `note` is called to put the last of it, then
        `done` to show the result.
        """
        self._note, self._done = note, done
        await asyncio.shield(self._read())

    def _read(self) -> asyncio.Task[None]:
        """Return the task that reads the drafts from disk; it is started once."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._merge())
        return self._reading

    async def _merge(self) -> None:
        try:
            stored = await asyncio.to_thread(self._store.drafts)
        except UnreadableError as error:
            self._warn(f"Could not read some of your drafts: {error}.")
            stored = error.found
        except OSError as error:
            self._warn(f"Could not read your drafts: {error}.")
            return
        self._note()
        for draft in stored:
            written = self._texts.get(draft.chat, "")
            text = draft.text if written == draft.text else joined(draft.text, written)
            self._texts[draft.chat] = text
            self._servers[draft.chat] = self._servers.get(draft.chat) or draft.server
        self._done()

    async def save(self) -> None:
        """Write the unsaved drafts to disk, including those of a cancelled save.

        A draft that cannot be written does not prevent the others, and is left to the next save.
        """
        self._scheduled = False
        if self._unsaved:
            # Else drafts that are only on the disk would be overwritten.
            await asyncio.wait({self._read()})
        failed: dict[str, OSError] = {}
        async with self._saving:
            while left := self._unsaved - failed.keys():
                if self._writing is not None:
                    await asyncio.wait({self._writing})  # else it could overwrite a newer one
                # `NEW` last: a text may have moved from there, and is never in neither file.
                chat = max(left, key=lambda one: one != NEW)
                text = self._whole(chat)
                draft = Draft(chat, text, self._servers.get(chat) or self._server())
                self._writing = asyncio.create_task(
                    asyncio.to_thread(self._store.keep_draft, draft)
                )
                try:
                    await asyncio.shield(self._writing)
                except OSError as error:
                    failed[chat] = error
                    continue
                if self._whole(chat) == text:
                    self._unsaved.discard(chat)
        if failed:
            reasons = "; ".join(sorted({str(error) for error in failed.values()}))
            self._warn(f"Could not keep your draft on disk: {reasons}.")


def joined(*texts: str) -> str:
    """Return several texts as paragraphs of one, without empty ones."""
    return "\n\n".join(text for text in texts if text.strip())


def _chat(name: str) -> str:
    return NEW if name.startswith(DRAFT) else name
