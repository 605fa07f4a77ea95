"""The periodic job that removes messages which were dropped more than `[retention] days` ago."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from palaver.clock import Clock
from palaverd.store.codec import to_ms
from palaverd.store.database import Database, DatabaseError
from palaverd.store.retention import purge_deleted

FIRST_S: Final = 300.0  # after a start, which has more urgent work
EVERY_S: Final = 3600.0
# Messages per transaction, which blocks other writers for a few milliseconds.
BATCH: Final = 200
PAUSE_S: Final = 0.1  # between two transactions, for waiting writers

log = structlog.get_logger("palaverd.retention")


class Retention:
    """Removes deleted messages. `days` is how long they are kept, 0 for ever; it can be changed."""

    def __init__(self, database: Database, clock: Clock, days: int) -> None:
        self._database = database
        self._clock = clock
        self.days = days

    async def run(self) -> None:
        """Remove old messages every hour, until cancelled."""
        await self._clock.sleep(FIRST_S)
        while True:
            try:
                await self.purge()
            except DatabaseError as error:
                log.warning("deleted messages not removed", error=error.sentence)
            await self._clock.sleep(EVERY_S)

    async def purge(self) -> None:
        """Remove old messages now.

        Raises:
            DatabaseError: the database failed; the rest is removed next time.
        """
        if self.days == 0:
            return
        before = to_ms(self._clock.now() - timedelta(days=self.days))
        removed = 0
        while done := await self._database.write(partial(purge_deleted, before=before, most=BATCH)):
            removed += done
            await self._clock.sleep(PAUSE_S)
        if removed:
            log.info("deleted messages removed", messages=removed, days=self.days)
