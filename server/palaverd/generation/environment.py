"""What a step works with, put together once by the daemon."""

from __future__ import annotations

import asyncio
import random

import msgspec

from palaver.clock import Clock
from palaverd.chatstate.execution import Fence
from palaverd.failures import RetryPolicy
from palaverd.generation.cancellation import Cancellation
from palaverd.generation.catalog import Catalog
from palaverd.metrics import Metrics
from palaverd.store.database import Database
from palaverd.store.door import Door
from palaverd.stream.registry import Episodes


class Environment(msgspec.Struct, frozen=True):
    """The parts that steps use.

    `host` is this machine's name: only the machine that has a chat's workspace may run it.
    """

    database: Database
    door: Door
    episodes: Episodes
    catalog: Catalog
    clock: Clock
    chance: random.Random
    retry: RetryPolicy
    host: str
    metrics: Metrics


class Nudge:
    """Tells a task that its row changed in a way that the work goes on with.

    A retry version newer than the task's own says that its wait is over: it was skipped, or
    another model was chosen.
    """

    def __init__(self) -> None:
        self._retry_version = 0
        self._changed = asyncio.Event()

    def tell(self, retry_version: int) -> None:
        """Say which retry version the row has now."""
        self._retry_version = max(self._retry_version, retry_version)
        self._changed.set()

    async def wait(self, retry_version: int, seconds: float, clock: Clock) -> None:
        """Wait `seconds`, or until a version newer than `retry_version` is told."""
        due = False

        def end() -> None:
            nonlocal due
            due = True
            self._changed.set()

        timer = clock.call_later(seconds, end)
        try:
            while not due and self._retry_version <= retry_version:
                self._changed.clear()
                await self._changed.wait()
        finally:
            timer.cancel()


class Assignment(msgspec.Struct, frozen=True):
    """One task's job: the chat, what its writes are fenced by, its nudge, and why it ends."""

    chat_id: str
    fence: Fence
    nudge: Nudge
    cancellation: Cancellation
