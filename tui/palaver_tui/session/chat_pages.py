"""Pages of the list of chats: the stream has the newest ones, the others are fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from palaver.client import PalaverError, Refused
from palaver.wire.events import ChatUpdated
from palaver_tui.session.store import NO_CHAT, Chats, Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.chat_list import reduce_list, with_page
from palaver_tui.storage.drafts import Drafts
from palaver_tui.timing import CHAT_PAGE

if TYPE_CHECKING:
    from palaver.client import Client

FIRST = ""  # instead of a cursor: the first page of archived chats


class ChatPages:
    """Fetches pages of chats, one at a time for each of the lists, archived or not.

    A failed page is not retried before `retry_missed`.
    """

    def __init__(self, store: Store, chats: Chats, spawn: Spawn, drafts: Drafts) -> None:
        self._store = store
        self._chats = chats
        self._spawn = spawn
        self._drafts = drafts
        self._busy: set[bool] = set()  # True: fetching archived chats, False: fetching others
        self._missed: set[str] = set()  # cursors of failed pages

    def more(self, *, archived: bool = False, wanted: str | None = None) -> None:
        """Fetch the next page of older chats, if there is one.

        With `wanted` only if that is its cursor: the screen may not show yet that the page that it
        asks for was fetched.
        """
        chats = self._store.chats
        if not archived:
            cursor = chats.next_cursor
        elif not chats.archive.loaded:
            cursor = FIRST
        else:
            cursor = chats.archive.next_cursor
        if wanted in (None, cursor):
            self._ask(cursor, CHAT_PAGE, archived=archived)

    def find_archived(self) -> None:
        """Fetch one archived chat, to know whether there are any."""
        self._ask(FIRST, 1, archived=True)

    def retry_missed(self) -> None:
        """Allow retrying failed pages: there is a connection again, or the user scrolls."""
        self._missed.clear()

    def learn(self, chat_id: str) -> None:
        """Fetch a chat that is in no fetched page: an older or an archived one."""
        client = self._store.client
        if client is not None and chat_id not in self._store.chats.chats:
            self._spawn(self._fetch_one(client, chat_id))

    def find_lost(self) -> None:
        """Fetch the chats that have drafts and are in no fetched page: some may be deleted."""
        store = self._store
        unknown = self._drafts.here - store.chats.chats.keys() - {store.current}
        if store.client is not None and store.chats.loaded and unknown:
            self._spawn(self._fetch_each(store.client, sorted(unknown)))

    async def _fetch_each(self, client: Client, chat_ids: list[str]) -> None:
        for chat_id in chat_ids:
            await self._fetch_one(client, chat_id)

    def _ask(self, cursor: str | None, size: int, *, archived: bool) -> None:
        client = self._store.client
        if client is None or cursor is None or cursor in self._missed or archived in self._busy:
            return
        self._busy.add(archived)
        self._spawn(self._fetch(client, cursor, size, archived=archived))

    async def _fetch(self, client: Client, cursor: str, size: int, *, archived: bool) -> None:
        store = self._store
        try:
            page = await client.chats(limit=size, cursor=cursor or None, archived=archived)
        except PalaverError as error:
            self._missed.add(cursor)
            store.notice(str(error), "warning")
            return
        finally:
            self._busy.discard(archived)
        store.chats = with_page(store.chats, page.chats, page.next_cursor, archived=archived)
        store.changed()

    async def _fetch_one(self, client: Client, chat_id: str) -> None:
        store = self._store
        try:
            chat = await client.chat(chat_id)
        except Refused as refused:
            # The current chat's stream reports the same.
            if refused.problem.code == NO_CHAT and chat_id != store.current:
                self._chats.drop(chat_id, "")
            return
        except PalaverError as error:
            store.notice(str(error), "warning")
            return
        store.chats = reduce_list(store.chats, ChatUpdated(chat, []))
        store.changed()
