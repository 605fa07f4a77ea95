"""Pages of messages: fetched when the user scrolls or searches, discarded far from the view."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from palaver.client import PalaverError
from palaver.wire.messages import Message
from palaver_tui.session.store import Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.chat import ChatView
from palaver_tui.state.message_window import around, at_the_end, trimmed, with_newer, with_older
from palaver_tui.timing import OLDER_PAGE, SEARCH_AT_ONCE, SEARCH_PAGE

if TYPE_CHECKING:
    from palaver.client import Client

Holds = Callable[[Message], bool]
# Called at the end of a search in fetched pages: number of messages read, id of the match or None.
Told = Callable[[int, int | None], None]


class PageRequest(msgspec.Struct, frozen=True):
    """A page to fetch: before or after the message with an id, in the chat with this name."""

    name: str
    before_id: int | None = None
    after_id: int | None = None


class Seek(msgspec.Struct, frozen=True, eq=False):
    """A search in the messages of a chat that are not in memory."""

    client: Client
    chat_id: str
    holds: Holds
    told: Told


class PageAround(msgspec.Struct, frozen=True, eq=False):
    """Messages around one in a chat; `older`: there are messages before them."""

    chat_id: str
    messages: list[Message]
    older: bool

    def holds(self, message_id: int) -> bool:
        """Return whether the message with an id is among them."""
        return any(message.id == message_id for message in self.messages)


class MessagePages:
    """Fetches and discards messages of the current chat; one fetch at a time for each chat.

    A failed page is not retried before `retry_missed`.
    """

    def __init__(self, store: Store, spawn: Spawn) -> None:
        self._store = store
        self._spawn = spawn
        self._busy: set[str] = set()
        self._unseen: set[str] = set()  # chats with a fetched page that was not painted yet
        self._missed: set[PageRequest] = set()  # that failed
        self._seek: Seek | None = None  # the current search; any other one stops

    def retry_missed(self) -> None:
        """Allow retrying failed pages: there is a connection again, or the user scrolls."""
        self._missed.clear()

    def _can(self, view: ChatView, name: str) -> bool:
        known = view.chat_id is not None and self._store.client is not None and view.messages
        return bool(known) and view.attached and name not in self._busy | self._unseen

    def older(self) -> None:
        """Fetch the page before the first message, unless a fetch is running or not painted yet."""
        name, view = self._store.current, self._store.view
        if view.older and self._can(view, name):
            self._ask(PageRequest(name, before_id=view.messages[0].id))

    def newer(self) -> None:
        """Fetch the page after the gap, unless a fetch is running or not painted yet."""
        name, view = self._store.current, self._store.view
        if view.gap is not None and self._can(view, name):
            self._ask(PageRequest(name, after_id=view.gap))

    def _ask(self, request: PageRequest) -> None:
        if request not in self._missed:
            self._busy.add(request.name)
            self._spawn(self._fetch(request))

    async def _fetch(self, request: PageRequest) -> None:
        store = self._store
        name, before_id, after_id = request.name, request.before_id, request.after_id
        client, asked = store.client, store.views.get(name)
        if client is None or asked is None or asked.chat_id is None:
            self._busy.discard(name)  # the chat was deleted before this task began
            return
        try:
            page = await client.messages(
                asked.chat_id, before_id=before_id, after_id=after_id, limit=OLDER_PAGE
            )
        except PalaverError as error:
            self._missed.add(request)
            store.notice(str(error), "warning")
            return
        finally:
            self._busy.discard(name)
        view = store.views.get(name)
        if view is None:
            return
        if before_id is not None and view.messages and view.messages[0].id == before_id:
            store.views[name] = with_older(view, page.messages, page.more)
        elif after_id is not None and view.gap == after_id:
            store.views[name] = with_newer(view, page.messages, page.more)
        self._unseen.add(name)  # else pages could be fetched faster than others are discarded
        store.changed()

    def trim(self, first: int, last: int) -> None:
        """Discard messages far from those in view, which have ids `first` to `last`."""
        store = self._store
        self._unseen.discard(store.current)
        store.views[store.current] = trimmed(store.view, first, last)

    def keep_newest(self) -> None:
        """Discard all but the newest messages: the user went to the end."""
        store = self._store
        self._unseen.discard(store.current)
        store.views[store.current] = at_the_end(store.view)

    # --- searching in messages that are not in memory -------------------------------------

    @property
    def seeking(self) -> bool:
        """Whether a search in messages that are not in memory is running in the current chat."""
        return self._seek is not None and self._seek.chat_id == self._store.current

    def seek_older(self, holds: Holds, told: Told) -> None:
        """Find the newest message before those in memory for which `holds` is true; show it."""
        view = self._store.view
        if view.messages:
            self._begin_seek(holds, told, before=view.messages[0].id)

    def seek_newer(self, holds: Holds, told: Told) -> None:
        """Find the oldest message in the gap for which `holds` is true; show it."""
        gap = self._store.view.gap
        if gap is not None:
            self._begin_seek(holds, told, after=gap)

    def end_search(self) -> None:
        """Cancel the search in fetched pages."""
        self._seek = None

    def _begin_seek(
        self, holds: Holds, told: Told, before: int | None = None, after: int | None = None
    ) -> None:
        client, chat_id = self._store.client, self._store.view.chat_id
        if client is None or chat_id is None:
            told(0, None)
            return
        self._seek = Seek(client, chat_id, holds, told)
        self._spawn(self._read_on(self._seek, before, after))

    async def _read_on(self, seek: Seek, before: int | None, after: int | None) -> None:
        """Fetch pages until a message is found, none is left, or `SEARCH_AT_ONCE` were read.

        `told` is not called for a cancelled search, or if the chat is not the current one any more.
        """
        read, found = 0, None
        try:
            async with aclosing(self._pages(seek, before, after)) as pages:
                async for page in pages:
                    if not self._is_wanted(seek):
                        return
                    read += len(page)
                    found = next((message.id for message in page if seek.holds(message)), None)
                    if found is not None:
                        await self._show(seek.client, seek.chat_id, found)
                    if found is not None or read >= SEARCH_AT_ONCE:
                        break
            if not self._is_wanted(seek):
                return
        finally:
            if self._seek is seek:
                self._seek = None
        seek.told(read, found)

    def _is_wanted(self, seek: Seek) -> bool:
        return self._seek is seek and self._store.current == seek.chat_id

    async def _pages(
        self, seek: Seek, before: int | None, after: int | None
    ) -> AsyncGenerator[list[Message]]:
        """Yield pages of messages before id `before` or after id `after`, the nearest first."""
        while True:
            try:
                page = await seek.client.messages(
                    seek.chat_id, before_id=before, after_id=after, limit=SEARCH_PAGE
                )
            except PalaverError as error:
                self._store.notice(str(error), "warning")
                return
            ordered = sorted(page.messages, key=lambda message: message.id, reverse=after is None)
            yield ordered
            if not page.more or not ordered:
                return
            before = ordered[-1].id if after is None else None
            after = None if after is None else ordered[-1].id

    async def _show(self, client: Client, chat_id: str, message_id: int) -> None:
        """Fetch the messages around one, and put them into the view."""
        try:
            page = await self.fetch_around(client, chat_id, message_id)
        except PalaverError as error:
            self._store.notice(str(error), "warning")
            return
        self.put(page)

    async def fetch_around(self, client: Client, chat_id: str, message_id: int) -> PageAround:
        """Return the messages around one, which is the first half's last if it still exists.

        Raises:
            PalaverError: they could not be fetched.
        """
        half = OLDER_PAGE // 2
        up_to = await client.messages(chat_id, before_id=message_id + 1, limit=half)
        behind = await client.messages(chat_id, after_id=message_id, limit=half)
        return PageAround(chat_id, [*up_to.messages, *behind.messages], up_to.more)

    def put(self, page: PageAround) -> None:
        """Put the messages around one into the view of their chat."""
        store, chat_id = self._store, page.chat_id
        if chat_id in store.views:
            store.views[chat_id] = around(store.views[chat_id], page.messages, page.older)
            store.changed()
