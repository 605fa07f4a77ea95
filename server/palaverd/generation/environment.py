"""The parts of the daemon that a step uses, and its task's assignment."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import msgspec

from palaver.clock import Clock, wait_until
from palaverd.chatstate.execution import Fence
from palaverd.failures import RetryPolicy
from palaverd.file_folder import FileFolder
from palaverd.generation.cancellation import Cancellation
from palaverd.generation.catalog import Catalog
from palaverd.generation.finished_calls import FinishedCalls
from palaverd.generation.saving import Saver
from palaverd.generation.surroundings import SurroundingsReader
from palaverd.metrics import Metrics
from palaverd.store.database import Database
from palaverd.store.door import Door
from palaverd.stream.registry import Episodes
from palaverd.tools.commands.registry import Commands
from palaverd.tools.toolbox import Toolbox


class Environment(msgspec.Struct, frozen=True):
    """The parts that steps use.

    `host` is this machine's name: only the machine that has a chat's workspace may run it.
    `umask` is the person's, for what tools make. `call_folders` has a folder for each chat, with
    one for each call that keeps files.
    """

    database: Database
    door: Door
    episodes: Episodes
    saver: Saver
    catalog: Catalog
    clock: Clock
    chance: random.Random
    retry: RetryPolicy
    host: str
    metrics: Metrics
    toolbox: Toolbox
    finished: FinishedCalls
    call_folders: Path
    surroundings: SurroundingsReader
    umask: int
    files: FileFolder
    commands: Commands


class Nudge:
    """Notifies a running task that its chat's retry version changed.

    A newer retry version than the task's own means that its wait is over: it was skipped, or
    another model was chosen.
    """

    def __init__(self) -> None:
        self._retry_version = 0
        self._changed = asyncio.Event()

    def set(self, retry_version: int) -> None:
        """Set the retry version of the row."""
        self._retry_version = max(self._retry_version, retry_version)
        self._changed.set()

    async def wait(self, retry_version: int, seconds: float, clock: Clock) -> None:
        """Wait `seconds`, or until a version newer than `retry_version` is set."""
        await wait_until(lambda: self._retry_version > retry_version, self._changed, clock, seconds)


class Assignment(msgspec.Struct, frozen=True):
    """A task's chat, the fence of its writes, its nudge, and the cause of its cancellation."""

    chat_id: str
    fence: Fence
    nudge: Nudge
    cancellation: Cancellation
