"""Whether the daemon is ready for requests, for orchestrators."""

from __future__ import annotations

import asyncio
from typing import Final

from palaver.clock import Clock
from palaverd.store.database import Database, DatabaseError
from palaverd.store.migrate import is_current

# Seconds for which a result is reused, however often it is requested.
REMEMBERED_S: Final = 1.0
STOPPING: Final = "The daemon is stopping."
NO_DATABASE: Final = "The database does not answer."
NOT_MIGRATED: Final = "The database is not of this version."


class Readiness:
    """Checks the database, at most once per `REMEMBERED_S` for all requests."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._stopping = False
        self._asked_at: float | None = None
        self._asking: asyncio.Future[str | None] | None = None

    def stop(self) -> None:
        """Report that the daemon is stopping."""
        self._stopping = True

    async def lacks(self) -> str | None:
        """Return a sentence about what is missing, None if it is ready."""
        if self._stopping:
            return STOPPING
        now = self._clock.monotonic()
        old = self._asked_at is None or now - self._asked_at >= REMEMBERED_S
        if self._asking is None or (old and self._asking.done()):
            self._asked_at = now
            self._asking = asyncio.ensure_future(self._ask())
        # A cancelled request must not cancel the check of the others.
        return await asyncio.shield(self._asking)

    async def _ask(self) -> str | None:
        try:
            return None if await self._database.read(is_current) else NOT_MIGRATED
        except DatabaseError:
            return NO_DATABASE
