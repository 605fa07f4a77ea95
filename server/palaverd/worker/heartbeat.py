"""The heartbeats of one worker, and the loss of its leases if they cannot be written."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

import structlog

from palaver.clock import Timer
from palaverd.config.types import WorkerConfig
from palaverd.generation.environment import Environment
from palaverd.store.acquisition import heartbeat
from palaverd.store.database import DatabaseError
from palaverd.worker.limits import LEASE_MARGIN

log = structlog.get_logger("palaverd.worker")


class Heartbeat:
    """Writes the heartbeats of all runners, and detects that leases may expire.

    `lose` is called when leases can no longer be relied on: a margin before the oldest one ends,
    counted from the last heartbeat known to be written, so that our tasks have stopped before
    another worker can acquire their chats.
    """

    def __init__(
        self,
        env: Environment,
        config: WorkerConfig,
        runner_ids: Callable[[], Collection[str]],
        lose: Callable[[], None],
    ) -> None:
        self._env = env
        self._trusted_s = config.lease_seconds * (1 - LEASE_MARGIN)
        self._runner_ids = runner_ids
        self._lose = lose
        self._timer: Timer | None = None

    def acquired(self, began: float) -> None:
        """Start counting leases from `began`, a monotonic time, unless older ones are counted."""
        if self._timer is None:
            self._trust_since(began)

    async def beat(self) -> None:
        """Write one heartbeat; after a failure the next one tries again."""
        if not self._runner_ids():
            self.stop()
            return
        began = self._env.clock.monotonic()
        write = partial(heartbeat, runner_ids=list(self._runner_ids()), now=self._env.door.now_ms())
        try:
            await self._env.database.write(write)
        except DatabaseError as error:
            log.warning("heartbeat failed", error=error.sentence)
        else:
            self._trust_since(began)

    def stop(self) -> None:
        """Stop the timer: there are no leases."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _trust_since(self, began: float) -> None:
        self.stop()
        left = began + self._trusted_s - self._env.clock.monotonic()
        self._timer = self._env.clock.call_later(max(0.0, left), self._lost)

    def _lost(self) -> None:
        self._timer = None
        if self._runner_ids():
            self._lose()
