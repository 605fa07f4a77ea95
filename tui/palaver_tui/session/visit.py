"""Visit to one message of a chat, wherever it is: with those around it, once the chat is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from palaver.client import PalaverError, Refused
from palaver_tui.session.message_pages import MessagePages
from palaver_tui.session.store import NO_CHAT, Store
from palaver_tui.session.tasks import Spawn
from palaver_tui.state.message_window import has

if TYPE_CHECKING:
    from palaver.client import Client

# `there`: the message is in the view. `gone`: the chat has no such message any more.
Outcome = Literal["there", "gone"]
Told = Callable[[Outcome], None]


class _Visit(msgspec.Struct, frozen=True, eq=False):
    chat_id: str
    message_id: int
    told: Told
    has_arrived: bool = False  # at a message in memory, which may be gone in the daemon


class Visits:
    """Visits one message at a time; the next one, or another chat, ends the visit."""

    def __init__(self, store: Store, pages: MessagePages, spawn: Spawn) -> None:
        self._store = store
        self._pages = pages
        self._spawn = spawn
        self._visit: _Visit | None = None
        self._fetches = False

    def begin(self, message_id: int, told: Told) -> None:
        """Show a message of the current chat; `told` is called if it is not left before.

        Nothing is called if the messages cannot be fetched: there is a notice.
        """
        chat_id = self._store.view.chat_id
        if chat_id is not None:
            self._visit, self._fetches = _Visit(chat_id, message_id, told), False
            self.go_on()

    def end(self) -> None:
        """End the visit: the user has gone on."""
        self._visit = None

    def go_on(self) -> None:
        """Continue after a change of the current chat: its newest messages have to come first.

        Those around the message could not be put in their place before.
        """
        visit, view = self._visit, self._store.view
        if visit is None or self._fetches:
            return
        is_read = view.attached and view.caught_up
        if view.chat_id != visit.chat_id:
            self._visit = None
        elif has(view, visit.message_id):
            if is_read:
                self._visit = None
            if not visit.has_arrived:
                self._visit = None if is_read else replace(visit, has_arrived=True)
                visit.told("there")
        elif is_read and (client := self._store.client) is not None:
            self._fetches = True
            self._spawn(self._fetch(client, visit))

    async def _fetch(self, client: Client, visit: _Visit) -> None:
        try:
            page = await self._pages.fetch_around(client, visit.chat_id, visit.message_id)
        except PalaverError as error:
            if self._visit is visit:
                self._visit = None
            # Of a chat that was deleted, its stream says so.
            if not (isinstance(error, Refused) and error.problem.code == NO_CHAT):
                self._store.notice(str(error), "warning")
            return
        if self._visit is not visit:
            return
        self._visit = None
        if self._store.current != visit.chat_id:
            return
        if not page.holds(visit.message_id):
            visit.told("gone")
        elif not visit.has_arrived:
            self._pages.put(page)
            visit.told("there")
