"""The list of chats by page: the daemon tells the newest ones, the others are asked for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from palaver.client import Client, PalaverError, Refused
from palaver.wire.events import ChatUpdated
from palaver_tui.session.outbox import NO_CHAT
from palaver_tui.state.chat_list import reduce_list, with_page
from palaver_tui.timing import CHAT_PAGE

if TYPE_CHECKING:
    from palaver_tui.session.session import Session

FIRST = ""  # in place of a cursor: the first page of those that are archived


class Listing:
    """Fetches one page at a time of each list.

    One that did not come waits until it is tried `again`.
    """

    def __init__(
        self, session: Session, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._session = session
        self._spawn = spawn
        self._busy: set[bool] = set()  # whether it is a page of archived ones
        self._missed: set[str] = set()  # the cursors of pages that did not come

    def more(self, *, archived: bool = False, wanted: str | None = None) -> None:
        """Fetch the next page of older chats, if there is one.

        With `wanted` only if that is its cursor: what is on the screen may lack a page that is
        here already.
        """
        chats = self._session.chats
        if not archived:
            cursor = chats.next_cursor
        elif not chats.archive.loaded:
            cursor = FIRST
        else:
            cursor = chats.archive.next_cursor
        if wanted in (None, cursor):
            self._ask(cursor, CHAT_PAGE, archived=archived)

    def find_archived(self) -> None:
        """Learn whether any chat is archived: one of them is enough for a sign that they are."""
        self._ask(FIRST, 1, archived=True)

    def again(self) -> None:
        """Let what did not come be asked for: there is a connection, or somebody scrolls."""
        self._missed.clear()

    def learn(self, chat_id: str) -> None:
        """Ask for a chat that is in no page that is here: an older one, or one that is archived."""
        client = self._session.client
        if client is not None and chat_id not in self._session.chats.chats:
            self._spawn(self._fetch_one(client, chat_id))

    def find_lost(self) -> None:
        """Ask for the chats that are written to and in no page here: some may be deleted."""
        session = self._session
        unknown = session.drafted() - session.chats.chats.keys() - {session.current}
        if session.client is not None and session.chats.loaded and unknown:
            self._spawn(self._fetch_each(session.client, sorted(unknown)))

    async def _fetch_each(self, client: Client, chat_ids: list[str]) -> None:
        for chat_id in chat_ids:
            await self._fetch_one(client, chat_id)

    def _ask(self, cursor: str | None, size: int, *, archived: bool) -> None:
        client = self._session.client
        if client is None or cursor is None or cursor in self._missed or archived in self._busy:
            return
        self._busy.add(archived)
        self._spawn(self._fetch(client, cursor, size, archived=archived))

    async def _fetch(self, client: Client, cursor: str, size: int, *, archived: bool) -> None:
        session = self._session
        try:
            page = await client.chats(limit=size, cursor=cursor or None, archived=archived)
        except PalaverError as error:
            self._missed.add(cursor)
            session.notice(str(error), "warning")
            return
        finally:
            self._busy.discard(archived)
        session.chats = with_page(session.chats, page.chats, page.next_cursor, archived=archived)
        session.changed()

    async def _fetch_one(self, client: Client, chat_id: str) -> None:
        session = self._session
        try:
            chat = await client.chat(chat_id)
        except Refused as refused:
            # Of the one that is shown its stream says the same.
            if refused.problem.code == NO_CHAT and chat_id != session.current:
                session.drop(chat_id, "")
            return
        except PalaverError as error:
            session.notice(str(error), "warning")
            return
        session.chats = reduce_list(session.chats, ChatUpdated(chat, []))
        session.changed()
