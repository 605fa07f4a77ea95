"""The list of chats by page: the daemon tells the newest ones, the others are asked for."""

from __future__ import annotations

from collections.abc import Callable

from palaver.client import Client, PalaverError, Refused
from palaver.wire.events import ChatUpdated
from palaver_tui.session.store import NO_CHAT, Chats, Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.chat_list import reduce_list, with_page
from palaver_tui.timing import CHAT_PAGE

FIRST = ""  # in place of a cursor: the first page of those that are archived


class ChatPages:
    """Fetches one page at a time of each list.

    One that did not come is not asked for again before `retry_missed`. `drafted` returns the ids of
    the chats of this daemon that something is written to.
    """

    def __init__(
        self, store: Store, chats: Chats, spawn: Spawn, drafted: Callable[[], frozenset[str]]
    ) -> None:
        self._store = store
        self._chats = chats
        self._spawn = spawn
        self._drafted = drafted
        self._busy: set[bool] = set()  # whether it is a page of archived ones
        self._missed: set[str] = set()  # the cursors of pages that did not come

    def more(self, *, archived: bool = False, wanted: str | None = None) -> None:
        """Fetch the next page of older chats, if there is one.

        With `wanted` only if that is its cursor: what is on the screen may lack a page that is
        here already.
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
        """Allow retrying failed pages: there is a connection again, or somebody scrolls."""
        self._missed.clear()

    def learn(self, chat_id: str) -> None:
        """Ask for a chat that is in no page that is here: an older one, or one that is archived."""
        client = self._store.client
        if client is not None and chat_id not in self._store.chats.chats:
            self._spawn(self._fetch_one(client, chat_id))

    def find_lost(self) -> None:
        """Ask for the chats that are written to and in no page here: some may be deleted."""
        store = self._store
        unknown = self._drafted() - store.chats.chats.keys() - {store.current}
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
            # Of the one that is shown its stream says the same.
            if refused.problem.code == NO_CHAT and chat_id != store.current:
                self._chats.drop(chat_id, "")
            return
        except PalaverError as error:
            store.notice(str(error), "warning")
            return
        store.chats = reduce_list(store.chats, ChatUpdated(chat, []))
        store.changed()
