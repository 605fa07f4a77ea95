"""The runner of one chat: receives hints and runs one task at a time.

The loop compares each hint with what it saw (`worker.decisions`) and starts, stops or leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import structlog

from palaver.clock import deadline, wait_until
from palaver.wire.errors import ChatError
from palaverd.chatstate.errors import BrokenInvariant, ChatNotFound, FenceLost
from palaverd.chatstate.execution import Fence
from palaverd.chatstate.states import Status
from palaverd.generation.cancellation import Cancellation, Cause
from palaverd.generation.environment import Assignment, Environment, Nudge
from palaverd.generation.interruption import end_interruption
from palaverd.generation.required_action import wait_for_answer
from palaverd.generation.step import FilesElsewhere, fail, generate
from palaverd.logs.bugs import log_bug
from palaverd.pubsub.local import LocalHub
from palaverd.store.database import DatabaseError
from palaverd.store.hints import Hint, hint_of
from palaverd.store.sync import load_chat
from palaverd.store.transitions.ownership import release
from palaverd.store.transitions.reconcile import reconcile
from palaverd.stream.episode import Episode
from palaverd.worker.decisions import Leave, Memory, Notify, Release, Start
from palaverd.worker.limits import RETRY_FIRST_S, RETRY_LAST_S, STOP_TASK_S

log = structlog.get_logger("palaverd.worker")

INTERNAL_ERROR = ChatError(
    kind="generic",
    message="Palaver made a mistake of its own, and this turn ended. The log has the details; "
    "send a message to go on.",
)


_TASKS: dict[str, Callable[[Environment, Assignment], Awaitable[None]]] = {
    Status.RUNNING: generate,
    Status.INTERRUPTING: end_interruption,
    Status.REQUIRES_ACTION: wait_for_answer,
}


class Work:
    """A running task and its assignment."""

    def __init__(self, env: Environment, hint: Hint) -> None:
        assert hint.runner_id is not None
        fence = Fence(hint.runner_id, hint.history_version, hint.status)
        self.job = Assignment(
            chat_id=hint.chat_id, fence=fence, nudge=Nudge(), cancellation=Cancellation()
        )
        self.task = asyncio.ensure_future(_TASKS[hint.status](env, self.job))

    def cancel(self, cause: Cause) -> None:
        """Cancel the task; if it does not end, its fence prevents writes."""
        self.job.cancellation.cause = cause
        self.task.cancel()


class Runner:
    """Runs one acquired chat until there is nothing to do, or another runner has it.

    It receives the chat's hints from its construction until `close`. `acquired` is the state that
    the acquisition left, `newest` the newest hint since, if there was one.
    """

    def __init__(
        self, env: Environment, hub: LocalHub, acquired: Hint, newest: Hint | None
    ) -> None:
        assert acquired.runner_id is not None
        self._env = env
        self._memory = Memory(acquired.runner_id, acquired)
        self._work: Work | None = None
        self._cancelled: set[Work] = set()  # cancelled tasks that have not ended yet
        self._failures = 0
        self._leaving: Cause | None = None
        self._sealed: Episode | None = None  # the episode of the latest task that was stopped
        self._wake = asyncio.Event()
        self._subscribed = ExitStack()
        self._hints = self._subscribed.enter_context(hub.chat(acquired.chat_id, self._wake))
        self._hints.put(newest or acquired)

    @property
    def chat_id(self) -> str:
        """The chat that this runner runs."""
        return self._memory.seen.chat_id

    def leave(self, cause: Cause) -> None:
        """Ask the runner to stop its task and to release the chat."""
        self._leaving = cause
        self._wake.set()

    async def run(self) -> None:
        """Run until the chat is released or lost."""
        try:
            await self._follow()
        except ChatNotFound:
            self._stop(Cause.SUPERSEDED)  # deleted: there is nothing to release
        finally:
            await self._all_ended()
            self._env.episodes.end(self.chat_id, self._sealed)
            self._env.finished.drop(self.chat_id)

    def close(self) -> None:
        """Receive no more hints."""
        self._subscribed.close()

    async def _follow(self) -> None:
        while True:
            if self._leaving is not None:
                await self._release(self._leaving)
                return
            for hint in self._hints.take():
                if not await self._handle(hint):
                    return
            if self._work is not None and self._work.task.done():
                await self._ended(self._work)
                await self._look()
                continue
            await self._wake.wait()
            self._wake.clear()

    async def _look(self) -> None:
        """Read the chat as a hint. If the database fails, the next sync of held chats does it."""
        if current := await self._read():
            self._hints.put(current)

    async def _handle(self, hint: Hint) -> bool:
        """Handle a hint. Return False when the runner is done."""
        match self._memory.handle(hint):
            case Notify():
                assert self._work is not None
                self._work.job.nudge.set(hint.retry_version)
            case Leave(cause):
                self._stop(cause)
                return False
            case Start(cause):
                self._stop(cause)
                self._work = Work(self._env, hint)
                self._work.task.add_done_callback(lambda _: self._wake.set())
            case Release(cause):
                if await self._release(cause):
                    return False
                self._failures += 1
                await self._pause()
                await self._look()
        return True

    def _stop(self, cause: Cause) -> None:
        """Cancel the current task without waiting for it, so that a user's stop is immediate."""
        if self._work is None:
            return
        # Before the first await: clients are shown nothing more of this attempt than what an
        # interruption or a shutdown saves.
        self._sealed = self._env.episodes.current(self.chat_id)
        if self._sealed is not None:
            self._sealed.seal()
        work, self._work = self._work, None
        work.cancel(cause)
        self._cancelled.add(work)
        work.task.add_done_callback(lambda _: self._was_stopped(work))

    def _was_stopped(self, work: Work) -> None:
        self._cancelled.discard(work)
        error = None if work.task.cancelled() else work.task.exception()
        _log_late(error)
        if error is not None and not isinstance(error, FenceLost | ChatNotFound):
            log.warning("a stopped task failed", chat=self.chat_id, error=repr(error))

    async def _all_ended(self) -> None:
        """Wait up to `STOP_TASK_S` for the cancelled tasks."""
        tasks = {work.task for work in self._cancelled}
        if not tasks:
            return
        try:
            async with deadline(self._env.clock, STOP_TASK_S):
                await asyncio.wait(tasks)
        except TimeoutError:
            log.warning("a stopped task goes on", chat=self.chat_id)

    async def _ended(self, work: Work) -> None:
        """Handle a task that ended by itself: by its commit, its fence, or an error."""
        self._work = None
        self._memory.task_ended()
        error = None if work.task.cancelled() else work.task.exception()
        if error is None or isinstance(error, FenceLost | ChatNotFound):
            # A library's cancellation ends a task too; the state is unchanged, so the next read
            # starts the task again.
            self._failures = self._failures + 1 if work.task.cancelled() else 0
            _log_late(error)
        elif isinstance(error, FilesElsewhere):
            self.leave(Cause.SUPERSEDED)
        elif isinstance(error, DatabaseError):
            self._failures += 1
            log.warning("database failed", chat=self.chat_id, error=error.sentence)
        else:
            self._failures += 1
            await log_bug(log, "task failed", error, chat=self.chat_id)
            await self._give_up(work, error)
        if self._failures:
            await self._pause()

    async def _pause(self) -> None:
        """Wait before the next try, or until a hint arrives: a user's stop takes effect at once."""
        doubled = RETRY_FIRST_S * 2.0 ** min(self._failures - 1, 10)
        await wait_until(
            lambda: self._leaving is not None or self._hints.waiting,
            self._wake,
            self._env.clock,
            min(RETRY_LAST_S, doubled),
        )

    async def _give_up(self, work: Work, bug: BaseException) -> None:
        """End the turn with an internal error, so that the chat is usable again."""
        try:
            if isinstance(bug, BrokenInvariant):
                # The stored state is inconsistent, and ending the turn would not repair it.
                await self._env.door.apply(self.chat_id, reconcile, fence=work.job.fence)
            else:
                await fail(self._env, work.job, INTERNAL_ERROR)
        except (FenceLost, ChatNotFound):
            pass  # the chat changed meanwhile
        except DatabaseError as error:
            log.warning("turn not ended", chat=self.chat_id, error=error.sentence)
        except Exception as error:  # noqa: BLE001 - retried after a pause
            await log_bug(log, "turn not ended", error, chat=self.chat_id)

    async def _read(self) -> Hint | None:
        """Read the chat's current state; None if the database fails.

        Raises:
            ChatNotFound: the chat was deleted.
        """
        try:
            row = await self._env.database.read(lambda c: load_chat(c, self.chat_id))
        except DatabaseError as error:
            log.warning("chat not read", chat=self.chat_id, error=error.sentence)
            return None
        return hint_of(row)

    async def _release(self, cause: Cause) -> bool:
        """Release the chat. Return False if the database failed and the chat is still held."""
        self._stop(cause)
        await self._all_ended()  # their last save needs the fence
        try:
            await self._env.door.apply(self.chat_id, release, fence=Fence(self._memory.runner_id))
        except (FenceLost, ChatNotFound) as error:
            _log_late(error)  # another runner has it, or it was deleted: nothing to release
        except DatabaseError as error:
            # If the runner ends all the same, its lease expires.
            log.warning("chat not released", chat=self.chat_id, error=error.sentence)
            return False
        return True


def _log_late(error: BaseException | None) -> None:
    """Log a write that came too late: it changed nothing, and its fence says why."""
    if isinstance(error, FenceLost):
        log.info("late write refused", chat=error.chat_id, because=str(error))
