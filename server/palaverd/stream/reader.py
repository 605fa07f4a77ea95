"""Read changes of chats, once per commit for all subscribers."""

from __future__ import annotations

import asyncio

from palaverd.store.database import Database
from palaverd.store.sync import Changes, load_changes


class ChangeReader:
    """Shares reads: subscribers that need the same changes get the result of one read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: dict[tuple[str, int | None], tuple[int, asyncio.Task[Changes]]] = {}
        self.reads = 0

    async def read(self, chat_id: str, since: int | None, at_least: int) -> Changes:
        """Return what changed after `since`, at snapshot `at_least` or newer.

        With 0, the snapshot is not known yet: the read begins now, so that it sees all that was
        committed before.

        Raises:
            ChatNotFound: there is no such chat.
            DatabaseError: the read failed or timed out.
        """
        key = (chat_id, since)
        shared = self._running.get(key)
        if shared is None or not at_least or shared[0] < at_least:
            shared = (at_least, asyncio.create_task(self._read(chat_id, since)))
            self._running[key] = shared
            shared[1].add_done_callback(lambda done: self._forget(key, done))
        # A cancelled subscriber must not cancel the read of the others.
        return await asyncio.shield(shared[1])

    async def _read(self, chat_id: str, since: int | None) -> Changes:
        self.reads += 1
        return await self._database.read(lambda c: load_changes(c, chat_id, since))

    def _forget(self, key: tuple[str, int | None], done: asyncio.Task[Changes]) -> None:
        shared = self._running.get(key)
        if shared is not None and shared[1] is done:
            del self._running[key]
        if not done.cancelled():
            done.exception()  # mark as retrieved
