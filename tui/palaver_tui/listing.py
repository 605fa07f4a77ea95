"""The list of chats by page: a daemon tells the newest ones, older ones are asked for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from palaver.client import Client, PalaverError
from palaver_tui.timing import CHAT_PAGE
from palaver_tui.view.chats import with_page

if TYPE_CHECKING:
    from palaver_tui.session import Session


class Listing:
    """Fetches one page at a time. One that did not come is not asked for again on its own."""

    def __init__(
        self, session: Session, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._session = session
        self._spawn = spawn
        self._asked: str | None = None  # the cursor of the page that is on its way, or did not come

    def more(self) -> None:
        """Fetch the next page of older chats, if there is one."""
        client, cursor = self._session.client, self._session.chats.next_cursor
        if client is not None and cursor is not None and cursor != self._asked:
            self._asked = cursor
            self._spawn(self._fetch(client, cursor))

    def again(self) -> None:
        """There is a connection: what did not come can be asked for."""
        self._asked = None

    async def _fetch(self, client: Client, cursor: str) -> None:
        session = self._session
        try:
            page = await client.chats(limit=CHAT_PAGE, cursor=cursor)
        except PalaverError as error:
            session.notice(str(error), "warning")
            return
        session.chats = with_page(session.chats, page.chats, page.next_cursor)
        session.changed()
