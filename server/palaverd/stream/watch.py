"""One owner's chat list, live."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import msgspec

from palaver.clock import Clock
from palaver.wire.chats import Chat
from palaver.wire.events import (
    ChatCreated,
    ChatDeleted,
    ChatUpdated,
    ConfigChanged,
    ListError,
    ListSnapshot,
    WatchEvent,
)
from palaverd.pubsub.local import LocalHub
from palaverd.store.database import Database, DatabaseError
from palaverd.store.hints import Hint
from palaverd.store.listing import Cursor, list_chats, read_chats
from palaverd.store.rows import ChatRow, wire_chat
from palaverd.store.sync import load_owner_versions
from palaverd.stream.failed_reads import READ_RETRY_S, read_failed

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
        """Yield batches of events; the snapshot has a cursor, if there are more chats.

        A read that fails is told, and repeated.
        """
        with self._hub.owner(self._owner) as hints:
            config = self._hub.config_version
            heard: dict[str, Hint] = {}  # what is not told yet, by chat
            begun = failed = False
            while True:
                try:
                    if begun:
                        # Nothing comes after a deletion, but what was late.
                        gone = {chat: hint for chat, hint in heard.items() if hint.deleted}
                        heard |= {hint.chat_id: hint for hint in hints.take()} | gone
                        events, cursor = await self._changes(heard), None
                    else:
                        events, cursor = await self._snapshot()
                except DatabaseError as error:
                    failed = True
                    yield [ListError(read_failed(error))], None
                    await self._clock.sleep(READ_RETRY_S)
                    continue
                if failed:
                    events.insert(0, ListError(None))
                if config != self._hub.config_version:
                    config = self._hub.config_version
                    events.append(ConfigChanged())
                if events:
                    yield events, cursor
                if begun:
                    await self._clock.sleep(self._interval)
                begun, failed = True, False
                heard.clear()
                await hints.wait()

    async def _snapshot(self) -> tuple[list[WatchEvent], Cursor | None]:
        """Return the newest chats, and the cursor of older ones.

        Raises:
            DatabaseError: the read failed.
        """

        listed = self._hub.is_listed(self._owner)
        (rows, cursor), versions = await self._database.read(
            lambda c: (  # in one transaction: what changes after it is missed by neither
                list_chats(c, self._owner, limit=self._page),
                None if listed else load_owner_versions(c, self._owner),
            )
        )
        if versions is not None:
            self._hub.list_from(self._owner, versions)
        chats = [wire_chat(row) for row in rows]
        self._known = {chat.id: chat for chat in chats}
        return [ListSnapshot(chats=chats)], cursor

    async def _changes(self, heard: dict[str, Hint]) -> list[WatchEvent]:
        """Return what changed, according to the newest hint of each chat.

        Raises:
            DatabaseError: a read failed; nothing is noted as told.
        """
        there = [hint for hint in heard.values() if not hint.deleted]
        found = [hint.row for hint in there if hint.row is not None]
        found += await self._read([hint.chat_id for hint in there if hint.row is None])
        gone = [hint.chat_id for hint in heard.values() if hint.deleted]
        for chat_id in gone:
            self._known.pop(chat_id, None)
        events: list[WatchEvent] = [ChatDeleted(chat_id) for chat_id in gone]
        return events + [e for row in found if (e := self._event(wire_chat(row)))]

    async def _read(self, chat_ids: Sequence[str]) -> list[ChatRow]:
        if not chat_ids:
            return []
        return await self._database.read(lambda c: read_chats(c, chat_ids))

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
