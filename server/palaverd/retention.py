"""The periodic job that removes what is older than `[retention] days`, and what has no owner.

Messages that were dropped, files that were sent, and files without a row, which a crash leaves.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from palaver.clock import Clock
from palaverd.file_folder import FileFolder, FolderError
from palaverd.store.codec import to_ms
from palaverd.store.database import Database, DatabaseError
from palaverd.store.retention import purge_deleted
from palaverd.store.uploads import known_files, remove_old_files

FIRST_S: Final = 300.0  # after a start, which has more urgent work
EVERY_S: Final = 3600.0
# Messages per transaction, which blocks other writers for a few milliseconds.
BATCH: Final = 200
PAUSE_S: Final = 0.1  # between two transactions, for waiting writers
UNKNOWN_S: Final = 3600.0  # the age of a file without a row; an upload takes minutes at most

log = structlog.get_logger("palaverd.retention")


class Retention:
    """Removes messages and files.

    `days` is how long they are kept, 0 for ever; it can be changed.
    """

    def __init__(self, database: Database, files: FileFolder, clock: Clock, days: int) -> None:
        self._database = database
        self._files = files
        self._clock = clock
        self.days = days

    async def run(self) -> None:
        """Remove what is old every hour, until cancelled."""
        await self._clock.sleep(FIRST_S)
        while True:
            try:
                await self.purge()
            except (DatabaseError, FolderError) as error:
                log.warning("old data not removed", error=error.sentence)
            await self._clock.sleep(EVERY_S)

    async def purge(self) -> None:
        """Remove what is old now.

        Raises:
            DatabaseError, FolderError: something failed; the rest is removed next time.
        """
        if self.days > 0:
            before = to_ms(self._clock.now() - timedelta(days=self.days))
            await self._purge_messages(before)
            await self._purge_files(before)
        await self._purge_unknown()

    async def _purge_messages(self, before: int) -> None:
        removed = 0
        while done := await self._database.write(partial(purge_deleted, before=before, most=BATCH)):
            removed += done
            await self._clock.sleep(PAUSE_S)
        if removed:
            log.info("deleted messages removed", messages=removed, days=self.days)

    async def _purge_files(self, before: int) -> None:
        """Remove the rows first: what is left without one is removed later."""
        removes = partial(remove_old_files, before=before, most=BATCH)
        while ids := await self._database.write(removes):
            await self._files.remove(ids)
            log.info("old files removed", files=len(ids), days=self.days)
            await self._clock.sleep(PAUSE_S)

    async def _purge_unknown(self) -> None:
        """Remove files that have no row."""
        before = self._clock.now() - timedelta(seconds=UNKNOWN_S)
        names = sorted(await self._files.names(before.timestamp()))
        for start in range(0, len(names), BATCH):
            some = names[start : start + BATCH]
            known = await self._database.read(partial(known_files, ids=some))
            unknown = [name for name in some if name not in known]
            await self._files.remove(unknown)
            if unknown:
                log.info("files without a row removed", files=len(unknown))
