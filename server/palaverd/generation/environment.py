"""What a step works with, put together once by the daemon."""

from __future__ import annotations

import asyncio
import random

import msgspec

from palaver.clock import Clock
from palaverd.chatstate.execution import Fence
from palaverd.failures import RetryPolicy
from palaverd.generation.catalog import Catalog
from palaverd.store.database import Database
from palaverd.store.door import Door
from palaverd.stream.registry import Episodes


class Environment(msgspec.Struct, frozen=True):
    """The parts that steps use. `max_steps` bounds the model calls of one turn."""

    database: Database
    door: Door
    episodes: Episodes
    catalog: Catalog
    clock: Clock
    chance: random.Random
    retry: RetryPolicy
    max_steps: int


class Assignment(msgspec.Struct, frozen=True):
    """One task's job: the chat, what its writes are fenced by, and a nudge.

    `handed` is set when the row changed in a way that the work goes on with: a wait was
    skipped, another model was chosen.
    """

    chat_id: str
    fence: Fence
    handed: asyncio.Event
