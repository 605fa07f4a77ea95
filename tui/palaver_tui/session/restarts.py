"""Work that has to run as long as the client: it is restarted after an error of the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from palaver.client import PalaverError
from palaver.client.backoff import Backoff
from palaver.clock import Clock

# Work that ran this long without an error has recovered: the next pause is a short one again.
RECOVERED_S: Final = 60.0


class Restarts:
    """Restarts failed work after growing pauses. `told` is called with each error."""

    def __init__(self, clock: Clock, random: Random, told: Callable[[Exception], None]) -> None:
        self._clock = clock
        self._random = random
        self._told = told

    async def run(self, work: Callable[[int], Awaitable[None]]) -> None:
        """Run `work` until it returns, is cancelled, or raises `PalaverError`.

        Its argument is the number of failures in a row.
        """
        backoff, failures = Backoff(self._random), 0
        while True:
            began = self._clock.monotonic()
            try:
                await work(failures)
            except PalaverError:
                raise
            except Exception as error:  # noqa: BLE001 - passed on to `told`, which reports it
                self._told(error)
            else:
                return
            if self._clock.monotonic() - began >= RECOVERED_S:
                failures = 0
                backoff.reset()
            failures += 1
            await self._clock.sleep(backoff.next())
