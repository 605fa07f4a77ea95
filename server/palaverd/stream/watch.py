"""One owner's chat list, live."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from palaver.clock import Clock
from palaver.wire.chats import Chat
from palaver.wire.events import (
    ChatCreated,
    ChatDeleted,
    ChatUpdated,
    ConfigChanged,
    ListSnapshot,
    WatchEvent,
)
from palaverd.pubsub.local import LocalHub
from palaverd.store.database import Database
from palaverd.store.listing import Cursor, list_chats, read_chats
from palaverd.store.rows import wire_chat

# `versions` changes with every commit; no list shows it.
_NOT_SHOWN = frozenset({"id", "versions"})
_FIELDS = tuple(name for name in Chat.__struct_fields__ if name not in _NOT_SHOWN)


class ListWatcher:
    """Sends one client the changes of its owner's chat list, coalesced."""

    def __init__(
        self,
        owner: str,
        hub: LocalHub,
        database: Database,
        clock: Clock,
        *,
        page: int,
        interval: float,
    ) -> None:
        self._owner = owner
        self._hub = hub
        self._database = database
        self._clock = clock
        self._page = page
        self._interval = interval
        self._known: dict[str, Chat] = {}

    async def events(self) -> AsyncGenerator[tuple[list[WatchEvent], Cursor | None]]:
        """Yield batches of events; the first one is the snapshot, with its cursor.

        Raises:
            DatabaseError: a read failed; the client reconnects.
        """
        with self._hub.owner(self._owner) as hints:
            rows, cursor = await self._database.read(
                lambda c: list_chats(c, self._owner, limit=self._page)
            )
            chats = [wire_chat(row) for row in rows]
            self._known = {chat.id: chat for chat in chats}
            yield [ListSnapshot(chats=chats)], cursor
            config = self._hub.config_version
            while True:
                await hints.wait()
                heard = hints.take()
                gone = [hint.chat_id for hint in heard if hint.deleted]
                for chat_id in gone:
                    self._known.pop(chat_id, None)
                events: list[WatchEvent] = [ChatDeleted(chat_id) for chat_id in gone]
                found = [hint.row for hint in heard if hint.row is not None and not hint.deleted]
                unread = [hint.chat_id for hint in heard if hint.row is None and not hint.deleted]
                if unread:
                    found += await self._database.read(lambda c: read_chats(c, unread))  # noqa: B023
                events += [e for row in found if (e := self._event(wire_chat(row)))]
                if config != self._hub.config_version:
                    config = self._hub.config_version
                    events.append(ConfigChanged())
                if events:
                    yield events, None
                await self._clock.sleep(self._interval)

    def _event(self, chat: Chat) -> WatchEvent | None:
        before = self._known.get(chat.id)
        if before is not None and before.versions.snapshot > chat.versions.snapshot:
            return None
        self._known[chat.id] = chat
        if before is None:
            return ChatCreated(chat)
        fields = [name for name in _FIELDS if getattr(before, name) != getattr(chat, name)]
        return ChatUpdated(chat=chat, fields=fields) if fields else None


def with_cursor(snapshot: ListSnapshot, cursor: str | None) -> ListSnapshot:
    """Return the snapshot with the cursor of the next page."""
    return msgspec.structs.replace(snapshot, next_cursor=cursor)
