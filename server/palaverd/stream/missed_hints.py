"""Replaces hints that were lost: a query for the versions of all chats with subscribers.

Within one process none is lost. A daemon that hears of commits by another way, such as from another
process, must not depend on that.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import structlog

from palaver.clock import Clock
from palaverd.pubsub.local import LocalHub
from palaverd.store.acquisition import read_hints
from palaverd.store.database import Database, DatabaseError
from palaverd.store.hints import deletion_hint
from palaverd.store.sync import load_owner_versions, load_versions

EVERY_S = 10.0  # the most that a lost hint delays what a client sees
# Rows that are read, and hints that wait for subscribers, at once: much may have been missed.
_AT_ONCE: Final = 200

log = structlog.get_logger("palaverd.stream")


class MissedHints:
    """Publishes a hint for each chat with subscribers whose newest commit was not published.

    A chat has subscribers if its stream has, or its owner's list.
    """

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
            DatabaseError: the database failed; not everything was published.
        """
        published = self._hub.published()
        if published:
            versions = await self._database.read(lambda c: load_versions(c, published.keys()))
            missed = [chat for chat, version in versions.items() if version > published[chat]]
            await self._publish(missed)
            for chat in published.keys() - versions.keys():
                self._hub.publish(deletion_hint(chat))
        for owner, listed in self._hub.listed().items():
            before = set(listed)  # a chat that is created from now on is not in the read
            versions = await self._database.read(partial(load_owner_versions, owner=owner))
            # Compared afterwards: what was published during the read is not missed.
            gone = [chat for chat in before - versions.keys() if chat in listed]
            await self._publish(
                [c for c, version in versions.items() if version > listed.get(c, 0)]
            )
            for chat in gone:
                self._hub.publish(deletion_hint(chat, owner))

    async def _publish(self, missed: list[str]) -> None:
        """Publish the current hints of these chats."""
        for first in range(0, len(missed), _AT_ONCE):
            some = missed[first : first + _AT_ONCE]
            for hint in await self._database.read(partial(read_hints, chat_ids=some)):
                self._hub.publish(hint)
