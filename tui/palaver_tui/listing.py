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
    """Fetches one page at a time. One that did not come waits until it is tried `again`."""

    def __init__(
        self, session: Session, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._session = session
        self._spawn = spawn
        self._busy = False
        self._missed: str | None = None  # the cursor of a page that did not come

    def more(self) -> None:
        """Fetch the next page of older chats, if there is one."""
        client, cursor = self._session.client, self._session.chats.next_cursor
        if client is not None and cursor not in {None, self._missed} and not self._busy:
            assert cursor is not None
            self._busy = True
            self._spawn(self._fetch(client, cursor))

    def again(self) -> None:
        """Let what did not come be asked for: there is a connection, or somebody scrolls."""
        self._missed = None

    async def _fetch(self, client: Client, cursor: str) -> None:
        session = self._session
        try:
            page = await client.chats(limit=CHAT_PAGE, cursor=cursor)
        except PalaverError as error:
            self._missed = cursor
            session.notice(str(error), "warning")
            return
        finally:
            self._busy = False
        session.chats = with_page(session.chats, page.chats, page.next_cursor)
        session.changed()
