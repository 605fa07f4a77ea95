"""Reads what changed, once per commit however many subscribers ask."""

from __future__ import annotations

import asyncio

from palaverd.store.database import Database
from palaverd.store.sync import Changes, load_changes


class ChangeReader:
    """Shares reads: subscribers that lack the same thing get the result of one read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: dict[tuple[str, int | None], tuple[int, asyncio.Task[Changes]]] = {}
        self.reads = 0

    async def read(self, chat_id: str, since: int | None, at_least: int) -> Changes:
        """Read what changed after `since`, at snapshot `at_least` or newer.

        Raises:
            ChatNotFound: the chat is gone.
            DatabaseError: the read failed or took too long.
        """
        key = (chat_id, since)
        shared = self._running.get(key)
        if shared is None or shared[0] < at_least:
            shared = (at_least, asyncio.create_task(self._read(chat_id, since)))
            self._running[key] = shared
            shared[1].add_done_callback(lambda done: self._forget(key, done))
        # Whoever leaves must not take the read away from the others.
        return await asyncio.shield(shared[1])

    async def _read(self, chat_id: str, since: int | None) -> Changes:
        self.reads += 1
        return await self._database.read(lambda c: load_changes(c, chat_id, since))

    def _forget(self, key: tuple[str, int | None], done: asyncio.Task[Changes]) -> None:
        shared = self._running.get(key)
        if shared is not None and shared[1] is done:
            del self._running[key]
        if not done.cancelled():
            done.exception()  # seen by those who awaited it; nobody else needs it
