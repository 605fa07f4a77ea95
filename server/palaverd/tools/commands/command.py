"""One command of this daemon: started or attached to, waited for, ended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress

from palaver.clock import Clock, deadline
from palaverd.tools.commands.call_files import (
    CallFiles,
    Ended,
    Nothing,
    Order,
    Runs,
    State,
)
from palaverd.tools.commands.processes import kill_all
from palaverd.tools.commands.records import Record
from palaverd.tools.commands.wrapper import GRACE_S

# Seconds after which a wrapper that was told to end is killed with its processes: it needs
# `GRACE_S`, and a stopped command must be gone within 2 s.
HARD_S = GRACE_S + 0.6


class Command:
    """One command. `over` is set when its wrapper has ended, or when it never begins.

    `reason` is why it is being ended.
    """

    def __init__(self, record: Record, files: CallFiles, clock: Clock) -> None:
        self.record = record
        self.files = files
        self.over = asyncio.Event()
        self.reason: str | None = None
        self._clock = clock
        self._handle: int | None = None
        self._wrapper: int | None = None
        self._spawning: asyncio.Task[None] | None = None

    async def start(self, order: Order, environment: Mapping[str, str]) -> None:
        """Start it. A caller that is cancelled does not change that: `end` it.

        Raises:
            OSError: it cannot be started.
        """

        def spawn() -> int:
            self.files.prepare(order)
            return self.files.spawn(environment)

        async def work() -> None:
            try:
                self._watch(await asyncio.to_thread(spawn))
            except BaseException:
                self.over.set()
                raise

        self._spawning = asyncio.create_task(work())
        await asyncio.shield(self._spawning)

    async def attach(self) -> State:
        """Wait for a command that an earlier daemon started, unless this is done already."""
        state = await asyncio.to_thread(self.files.state)
        if self._handle is not None or isinstance(state, Nothing):
            return state
        self.over.set()
        if isinstance(state, Runs):
            self.over.clear()
            self._watch(state.wrapper.pid)
            if not await asyncio.to_thread(
                state.wrapper.runs
            ):  # the id may be another process's now
                self._gone()
        return state

    def _watch(self, pid: int) -> None:
        """Set `over` when a process ends."""
        self._wrapper = pid
        try:
            self._handle = os.pidfd_open(pid)
        except OSError:  # it has ended, and was no child
            self._gone()
            return
        asyncio.get_running_loop().add_reader(self._handle, self._gone)

    def _gone(self) -> None:
        self.close()
        if self._wrapper is not None:
            with suppress(ChildProcessError):  # an earlier daemon's
                os.waitpid(self._wrapper, os.WNOHANG)
        self.over.set()

    def close(self) -> None:
        """Wait no longer."""
        if self._handle is not None:
            asyncio.get_running_loop().remove_reader(self._handle)
            os.close(self._handle)
            self._handle = None

    async def wait(self, seconds: float) -> bool:
        """Wait until it is over, at most `seconds`; return whether it is."""
        if self.over.is_set():
            return True
        try:
            async with deadline(self._clock, seconds):
                await self.over.wait()
        except TimeoutError:
            return self.over.is_set()
        return True

    async def end(self) -> None:
        """End it, with all that it started, for `reason`; within 2 s."""
        assert self.reason is not None
        if self._spawning is not None:
            await asyncio.wait([self._spawning])
        if not await asyncio.to_thread(self.files.end, self.reason):
            self.over.set()
        if not self.over.is_set() and not await self.wait(HARD_S):
            await self.clean()

    async def clean(self) -> None:
        """Kill what is left of it, whether its wrapper still runs or was killed."""
        state = await asyncio.to_thread(self.files.state)
        if not isinstance(state, Ended):
            process = state.wrapper if isinstance(state, Runs) else None
            await asyncio.to_thread(kill_all, process, str(self.files.folder))
