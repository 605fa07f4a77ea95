"""Search of the list of chats in messages: asks the daemon what the typed filter finds there."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from palaver.client import PalaverError
from palaver.wire.protocol import SEARCH
from palaver_tui.session.store import Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.features import missing
from palaver_tui.state.found_messages import (
    FoundMessages,
    Question,
    answered,
    question,
    without,
)
from palaver_tui.timing import LIST_SEARCH_AFTER_S, LIST_SEARCH_PAGE

UNCONNECTED = "Without a connection only titles are searched."


class ListSearch:
    """Asks one question at a time: the next one cancels it.

    `found` is the answer to the current question; None if there is none to ask, or if the daemon
    is too old, of which there is one notice for each version.
    """

    def __init__(self, store: Store, spawn: Spawn) -> None:
        self._store = store
        self._spawn = spawn
        self._asking: asyncio.Task[None] | None = None
        self._pause: asyncio.Task[None] | None = None
        self._told: str | None = None  # the version of the daemon that cannot search
        self.found: FoundMessages | None = None

    @property
    def waits(self) -> bool:
        """Whether the answer to the current question has not arrived yet."""
        return self._asking is not None and not self._asking.done()

    def want(self, typed: str | None, *, archived: bool) -> None:
        """Ask for what the filter is now, after a pause; without words end the search."""
        wanted = question(typed, archived=archived)
        if (self.found.question if self.found is not None else None) == wanted:
            return
        self._cancel()
        self.found = None
        if wanted is not None and not self._is_too_old():
            self._begin(wanted, LIST_SEARCH_AFTER_S)

    def hurry(self) -> None:
        """Ask now, without the rest of the pause."""
        if self._pause is not None:
            self._pause.cancel()

    def connected(self) -> None:
        """Ask again what could not be asked: there is a connection again."""
        if self.found is not None and not self.found.answered:
            self._cancel()
            self._begin(self.found.question, 0)

    def forget(self, chat_id: str) -> None:
        """Remove the hit in a chat that was deleted."""
        if self.found is not None:
            self.found = without(self.found, chat_id)

    def _is_too_old(self) -> bool:
        """Return whether the daemon cannot search messages; say so once."""
        info = self._store.info
        words = missing(info, SEARCH, "search in messages")
        if words is not None and info is not None and self._told != info.version:
            self._told = info.version
            self._store.notice(words, "warning")
        return words is not None

    def _cancel(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _begin(self, wanted: Question, pause_s: float) -> None:
        self.found = FoundMessages(wanted)
        self._asking = self._spawn(self._ask(wanted, pause_s))

    async def _ask(self, wanted: Question, pause_s: float) -> None:
        if pause_s:
            await self._paused(pause_s)
        result = await self._answer(wanted)
        # A task that is cancelled as the answer arrives may still end.
        if self.found is not None and self.found.question == wanted:
            self.found, self._asking = result, None
            self._store.changed()

    async def _paused(self, seconds: float) -> None:
        """Wait; `hurry` ends the wait."""
        pause = self._pause = asyncio.create_task(self._store.clock.sleep(seconds))
        try:
            await asyncio.wait([pause])
        finally:
            pause.cancel()
            if self._pause is pause:  # else that of the next question
                self._pause = None

    async def _answer(self, wanted: Question) -> FoundMessages:
        client, unanswered = self._store.client, FoundMessages(wanted)
        if client is None or self._store.connection.phase != "live":
            return replace(unanswered, problem=UNCONNECTED)
        try:
            page = await client.search(
                wanted.words, limit=LIST_SEARCH_PAGE, archived=wanted.archived, once=True
            )
        except PalaverError as error:
            return replace(unanswered, problem=str(error))
        return answered(wanted, page)
