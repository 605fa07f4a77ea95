"""The worker of a daemon: acquires chats, renews their leases, and releases them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import structlog

from palaver.clock import Clock, deadline
from palaverd.chatstate.table import Transition
from palaverd.config.types import WorkerConfig
from palaverd.generation.cancellation import Cause
from palaverd.generation.environment import Environment
from palaverd.logs.bugs import log_bug
from palaverd.pubsub.local import LocalHub, Subscription
from palaverd.store.acquisition import (
    Taker,
    acquire_chats,
    explain_pending,
    read_hints,
    resume_due,
)
from palaverd.store.database import DatabaseError
from palaverd.store.hints import Hint, hint_of
from palaverd.store.rows import ChatRow
from palaverd.worker.heartbeat import Heartbeat
from palaverd.worker.limits import ACQUIRE_INTERVAL_S, SHUTDOWN_S, SYNC_INTERVAL_S
from palaverd.worker.runner import Runner

log = structlog.get_logger("palaverd.worker")


class Worker:
    """Acquires and runs chats. The constructor starts nothing."""

    def __init__(self, env: Environment, hub: LocalHub, config: WorkerConfig) -> None:
        self._env = env
        self._hub = hub
        self._config = config
        self._id = env.door.new_id()
        self._runners: dict[str, Runner] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._acquiring: asyncio.Task[None] | None = None
        self._looking: Subscription | None = None
        self._stopping = False
        self._heartbeat = Heartbeat(env, config, self._runners.keys, self._lose_leases)

    @property
    def running(self) -> int:
        """The number of chats that this worker holds."""
        return len(self._runners)

    def change_limits(self, config: WorkerConfig) -> None:
        """Change how many chats run at once; running ones continue."""
        self._config = msgspec.structs.replace(
            self._config, max_chats=config.max_chats, max_subagents=config.max_subagents
        )

    async def start(self) -> None:
        """Start acquiring chats."""
        clock = self._env.clock
        self._acquiring = asyncio.create_task(self._acquire_loop())
        self._loops = [
            asyncio.create_task(
                _every(clock, self._config.heartbeat_seconds, self._heartbeat.beat)
            ),
            asyncio.create_task(_every(clock, SYNC_INTERVAL_S, self._sync)),
        ]

    async def explain(self) -> None:
        """Instead of `start`: run no chats, and mark those that wait with the reason."""
        self._loops = [asyncio.create_task(_every(self._env.clock, ACQUIRE_INTERVAL_S, self._say))]

    async def _say(self) -> None:
        await self._env.door.transact_all(
            lambda connection, now: explain_pending(connection, "no_worker", now)
        )

    async def stop(self) -> None:
        """Release every chat; they stay running, for the next start or another replica."""
        self._stopping = True
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        for runner in self._runners.values():
            runner.leave(Cause.SHUTDOWN)
        try:
            async with deadline(self._env.clock, SHUTDOWN_S):
                await self._stop_acquiring()
                if self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            log.warning("chats not given back", chats=[r.chat_id for r in self._runners.values()])
            for task in self._tasks:
                task.cancel()
        self._heartbeat.stop()

    async def _stop_acquiring(self) -> None:
        """Let a current acquisition finish: its chats are released at once."""
        if self._acquiring is None:
            return
        if self._looking is not None:
            self._looking.wake()
        await asyncio.wait({self._acquiring})

    async def _acquire_loop(self) -> None:
        with self._hub.everything() as hints:
            self._looking = hints
            while not self._stopping:
                await _guarded("acquisition", self._acquire())
                if not self._stopping:
                    await self._wait_for_work(hints)

    async def _wait_for_work(self, hints: Subscription) -> None:
        def room_or_work() -> bool:
            # A runner that ended makes room for another chat.
            heard = hints.take()
            return self._stopping or any(hint.ownerless or hint.runner_id is None for hint in heard)

        await hints.wait_until(room_or_work, self._env.clock, ACQUIRE_INTERVAL_S)

    async def _acquire(self) -> None:
        taker = Taker(
            worker_id=self._id,
            host=self._env.host,
            max_chats=self._config.max_chats,
            max_subagents=self._config.max_subagents,
            lease_ms=int(self._config.lease_seconds * 1000),
            runner_ids=frozenset(self._runners),
        )
        began = self._env.clock.monotonic()
        changed = await self._env.door.transact_all(
            lambda connection, now: [
                *resume_due(connection, now),
                *acquire_chats(connection, taker, self._env.door.new_id, now),
            ]
        )
        for one in changed:
            if Transition.RECONCILE in one.transitions:
                log.warning("chat repaired", chat=one.row.chat_id, status=one.row.status)
            if Transition.ACQUIRE not in one.transitions:
                continue  # its pending reason changed, or it was repaired
            assert one.row.runner_id is not None
            self._heartbeat.acquired(began)
            runner = Runner(self._env, self._hub, hint_of(one.row), self._changed_since(one.row))
            self._runners[one.row.runner_id] = runner
            task = asyncio.create_task(self._run(one.row.runner_id, runner))
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, runner))
            if self._stopping:
                runner.leave(Cause.SHUTDOWN)

    def _changed_since(self, acquired: ChatRow) -> Hint | None:
        """Return the newest hint of a chat that was just acquired; it may have changed already."""
        return self._looking.newest(acquired.chat_id) if self._looking is not None else None

    def _ended(self, runner: Runner, task: asyncio.Task[None]) -> None:
        runner.close()
        self._tasks.discard(task)

    async def _run(self, runner_id: str, runner: Runner) -> None:
        try:
            await runner.run()
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the worker
            # The lease expires, so that the chat is acquired again; the loop must go on.
            await log_bug(log, "runner failed", error, chat=runner.chat_id)
        finally:
            self._runners.pop(runner_id, None)

    def _lose_leases(self) -> None:
        self._env.metrics.leases_lost.add(by=len(self._runners))
        log.error("leases may be lost; stopping their tasks", chats=len(self._runners))
        for runner in self._runners.values():
            runner.leave(Cause.LEASE_LOST)

    async def _sync(self) -> None:
        """Replace lost hints: one query over all held chats."""
        ids = [runner.chat_id for runner in self._runners.values()]
        if ids:
            for hint in await self._env.database.read(lambda c: read_hints(c, ids)):
                self._hub.publish(hint)


async def _every(clock: Clock, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await clock.sleep(seconds)
        await _guarded(work.__name__, work())


async def _guarded(name: str, work: Awaitable[None]) -> None:
    """Await `work` and log any error: the next turn of the loop tries again."""
    try:
        await work
    except DatabaseError as error:
        log.warning("database failed", doing=name, error=error.sentence)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not end the worker
        await log_bug(log, f"{name} failed", error)
