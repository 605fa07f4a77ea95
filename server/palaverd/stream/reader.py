"""Read and encode changes of chats, once per commit for all subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from typing import TypeVar

from palaverd.store.database import Database
from palaverd.store.sync import Changes, load_changes

C = TypeVar("C")


class _Read:
    """A read that is running or waits for a connection.

    `at_least` is a snapshot that it will see.
    """

    def __init__(self, at_least: int) -> None:
        self.at_least = at_least
        self.begun = False
        self.task: asyncio.Task[Changes] | None = None

    def noting(self, load: Callable[[C], Changes]) -> Callable[[C], Changes]:
        """Return `load`, which says when it begins, in another thread."""

        def noted(connection: C) -> Changes:
            self.begun = True  # only from now on it can miss a commit
            return load(connection)

        return noted

    def sees(self, at_least: int) -> bool:
        """Return whether it sees snapshot `at_least`; with 0, all that was committed until now."""
        return not self.begun or 0 < at_least <= self.at_least


class ChangeReader:
    """Shares reads and frames: subscribers that need the same get the result of one.

    `reads` and `encoded` count how often one was made.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: dict[tuple[str, int | None], _Read] = {}
        self._frames: dict[Hashable, bytes] = {}
        self.reads = 0
        self.encoded = 0

    async def read(self, chat_id: str, since: int | None, at_least: int) -> Changes:
        """Return what changed after `since`, at snapshot `at_least` or newer.

        With 0, the snapshot is not known yet: the read has not begun before, so that it sees all
        that was committed until now.

        Raises:
            ChatNotFound: there is no such chat.
            DatabaseError: the read failed or timed out.
        """
        key = (chat_id, since)
        shared = self._running.get(key)
        if shared is None or shared.task is None or not shared.sees(at_least):
            shared = _Read(at_least)
            shared.task = asyncio.create_task(self._read(chat_id, since, shared))
            self._running[key] = shared
            shared.task.add_done_callback(lambda done: self._forget(key, done))
        shared.at_least = max(shared.at_least, at_least)
        # A cancelled subscriber must not cancel the read of the others.
        return await asyncio.shield(shared.task)

    def frame(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return the frame `key`, made by `make` unless it was in this turn of the event loop.

        A commit wakes all subscribers of a chat in one turn.
        """
        found = self._frames.get(key)
        if found is None:
            if not self._frames:
                asyncio.get_running_loop().call_soon(self._frames.clear)
            self.encoded += 1
            found = self._frames[key] = make()
        return found

    async def _read(self, chat_id: str, since: int | None, shared: _Read) -> Changes:
        self.reads += 1
        load = shared.noting(partial(load_changes, chat_id=chat_id, since=since))
        return await self._database.read(load)

    def _forget(self, key: tuple[str, int | None], done: asyncio.Task[Changes]) -> None:
        shared = self._running.get(key)
        if shared is not None and shared.task is done:
            del self._running[key]
        if not done.cancelled():
            done.exception()  # mark as retrieved
