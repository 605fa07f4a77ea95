"""Replaces hints that were lost: a query for the versions of all chats with subscribers.

Within one process none is lost. A daemon that hears of commits by another way, such as from another
process, must not depend on that.
"""

from __future__ import annotations

import structlog

from palaver.clock import Clock
from palaverd.pubsub.local import LocalHub
from palaverd.store.acquisition import read_hints
from palaverd.store.database import Database, DatabaseError
from palaverd.store.hints import deletion_hint
from palaverd.store.sync import load_versions

EVERY_S = 10.0  # the most that a lost hint delays what a client sees

log = structlog.get_logger("palaverd.stream")


class MissedHints:
    """Publishes a hint for each chat with subscribers whose newest commit was not published."""

    def __init__(self, hub: LocalHub, database: Database, clock: Clock) -> None:
        self._hub = hub
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Look every `EVERY_S` seconds, until cancelled."""
        while True:
            await self._clock.sleep(EVERY_S)
            try:
                await self.look()
            except DatabaseError as error:
                log.warning("versions not read", error=error.sentence)

    async def look(self) -> None:
        """Look once.

        Raises:
            DatabaseError: the database failed; nothing was published.
        """
        published = self._hub.published()
        if not published:
            return
        versions = await self._database.read(lambda c: load_versions(c, published.keys()))
        missed = [chat for chat, version in versions.items() if version > published[chat]]
        hints = await self._database.read(lambda c: read_hints(c, missed)) if missed else []
        hints += [deletion_hint(chat) for chat in published.keys() - versions.keys()]
        for hint in hints:
            self._hub.publish(hint)
