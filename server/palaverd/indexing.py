"""Keep the index for full-text search up to date: before each search, and from time to time."""

from __future__ import annotations

from typing import Final

import structlog

from palaver.clock import Clock
from palaverd.store.database import Database, DatabaseError
from palaverd.store.search.engines import how_far, index_some

FIRST_S: Final = 1.0  # after a start, so that clients get their chats first
# Between two looks for new messages, so that a search after a busy day need not index them all.
EVERY_S: Final = 60.0
# The least time between two transactions while old messages are indexed. It is twice as long as a
# transaction took, if that is longer, so that most of the time is left to others.
PAUSE_S: Final = 0.02
# Transactions that a search waits for; what is new is a few messages, except after a day without
# searches. The rest is found by the next search.
MOST_BEFORE_SEARCH: Final = 10

log = structlog.get_logger("palaverd.indexing")


async def catch_up(database: Database) -> None:
    """Index what is new, before a search. If that fails, the search finds what was there before."""
    try:
        done = await database.read(how_far)
        for _ in range(MOST_BEFORE_SEARCH):
            if done.current:
                return
            done = await database.write(index_some)
    except DatabaseError as error:
        log.warning("new messages not indexed", error=error.sentence)


class Indexing:
    """Indexes all messages while the daemon runs: new ones, and those from before an upgrade."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Index messages, until cancelled."""
        await self._clock.sleep(FIRST_S)
        while True:
            try:
                await self.finish()
            except DatabaseError as error:
                log.warning("messages not indexed", error=error.sentence)
            await self._clock.sleep(EVERY_S)

    async def finish(self) -> None:
        """Index everything that is not, in steps that other writers can go between.

        Raises:
            DatabaseError: the database failed; the rest is indexed next time.
        """
        done = await self._database.read(how_far)
        upgrade = done.low > 0
        while not done.complete:
            began = self._clock.monotonic()
            done = await self._database.write(index_some)
            await self._clock.sleep(max(PAUSE_S, 2 * (self._clock.monotonic() - began)))
        if upgrade:
            log.info("all messages indexed", messages=done.newest)
