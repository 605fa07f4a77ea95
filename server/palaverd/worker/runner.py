"""The runner of one chat: hears what happens to it and runs one task at a time.

The loop has no side effects of its own: it compares what it hears to what it saw
(`worker.decide`) and starts, stops or leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from palaver.clock import deadline
from palaver.wire.errors import ChatError
from palaverd.bugs import log_bug
from palaverd.chatstate.errors import BrokenInvariant, ChatNotFound, FenceLost
from palaverd.chatstate.execution import Fence
from palaverd.chatstate.states import Status
from palaverd.generation.cancellation import Cancellation, Cause
from palaverd.generation.environment import Assignment, Environment, Nudge
from palaverd.generation.interruption import end_interruption
from palaverd.generation.step import FilesElsewhere, fail, generate
from palaverd.generation.waiting import wait_for_answer
from palaverd.pubsub.local import LocalHub, Subscription
from palaverd.store.database import DatabaseError
from palaverd.store.hints import Hint, hint_of
from palaverd.store.sync import load_chat
from palaverd.store.transitions.ownership import release
from palaverd.store.transitions.repairing import reconcile
from palaverd.stream.episode import Episode
from palaverd.worker.decide import GiveBack, Hand, Leave, Memory, Start
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
    """One task and its job."""

    def __init__(self, env: Environment, hint: Hint) -> None:
        assert hint.runner_id is not None
        fence = Fence(hint.runner_id, hint.history_version, hint.status)
        self.job = Assignment(
            chat_id=hint.chat_id, fence=fence, nudge=Nudge(), cancellation=Cancellation()
        )
        self.task = asyncio.ensure_future(_TASKS[hint.status](env, self.job))

    def cancel(self, cause: Cause) -> None:
        """Ask the task to end; its fence keeps one that does not from doing harm."""
        self.job.cancellation.cause = cause
        self.task.cancel()


class Runner:
    """Drives one acquired chat until it needs nobody, or somebody else has it."""

    def __init__(self, env: Environment, hub: LocalHub, acquired: Hint) -> None:
        assert acquired.runner_id is not None
        self._env = env
        self._hub = hub
        self._memory = Memory(acquired.runner_id, acquired)
        self._work: Work | None = None
        self._cancelled: set[Work] = set()  # tasks that were asked to end and have not yet
        self._failures = 0
        self._leaving: Cause | None = None
        self._sealed: Episode | None = None  # the log of the newest task that was stopped
        self._wake = asyncio.Event()
        self._hints = Subscription(self._wake)  # nobody tells it anything before `run`

    @property
    def chat_id(self) -> str:
        """The chat that this runner drives."""
        return self._memory.seen.chat_id

    def leave(self, cause: Cause) -> None:
        """Ask the runner to stop its task and to give the chat back."""
        self._leaving = cause
        self._wake.set()

    async def run(self) -> None:
        """Run until the chat is given back or lost."""
        with self._hub.chat(self.chat_id, self._wake) as self._hints:
            try:
                await self._follow()
            except ChatNotFound:
                self._stop(Cause.SUPERSEDED)  # deleted: there is nothing to give back
            finally:
                await self._all_ended()
                self._env.episodes.end(self.chat_id, self._sealed)

    async def _follow(self) -> None:
        # Subscribed first, then one read: what changed since the acquisition is seen.
        self._hints.put(await self._read() or self._memory.seen)
        while True:
            if self._leaving is not None:
                await self._give_back(self._leaving)
                return
            for hint in self._hints.take():
                if not await self._hear(hint):
                    return
            if self._work is not None and self._work.task.done():
                await self._ended(self._work)
                await self._look()
                continue
            await self._wake.wait()
            self._wake.clear()

    async def _look(self) -> None:
        """Hear what the database says; without its answer, the next sync of held chats tells."""
        if current := await self._read():
            self._hints.put(current)

    async def _hear(self, hint: Hint) -> bool:
        """Act on what is heard. Returns False when the runner is done."""
        match self._memory.hear(hint):
            case Hand():
                assert self._work is not None
                self._work.job.nudge.tell(hint.retry_version)
            case Leave(cause):
                self._stop(cause)
                return False
            case Start(cause):
                self._stop(cause)
                self._work = Work(self._env, hint)
                self._work.task.add_done_callback(lambda _: self._wake.set())
            case GiveBack(cause):
                if await self._give_back(cause):
                    return False
                self._failures += 1
                await self._pause()
                await self._look()
        return True

    def _stop(self, cause: Cause) -> None:
        """Stop the present task without waiting for it: a person's stop must not."""
        if self._work is None:
            return
        # Before anything is awaited: what clients were shown by now is all that they will be
        # shown of this attempt, and what an interruption or a shutdown saves.
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
        """Wait a little for the tasks that were stopped."""
        tasks = {work.task for work in self._cancelled}
        if not tasks:
            return
        try:
            async with deadline(self._env.clock, STOP_TASK_S):
                await asyncio.wait(tasks)
        except TimeoutError:
            log.warning("a stopped task goes on", chat=self.chat_id)

    async def _ended(self, work: Work) -> None:
        """A task ended by itself: by its commit, by its fence, or by an error."""
        self._work = None
        self._memory.task_ended()
        error = None if work.task.cancelled() else work.task.exception()
        if error is None or isinstance(error, FenceLost | ChatNotFound):
            # A library's own cancellation ends a task too; the state has not moved, so that
            # the next look at it starts the task anew.
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
        """Wait before the next try, unless something is heard: a person's stop acts at once."""
        due = False

        def end() -> None:
            nonlocal due
            due = True
            self._wake.set()

        doubled = RETRY_FIRST_S * 2.0 ** min(self._failures - 1, 10)
        timer = self._env.clock.call_later(min(RETRY_LAST_S, doubled), end)
        try:
            while not (due or self._leaving or self._hints.waiting):
                self._wake.clear()
                await self._wake.wait()
        finally:
            timer.cancel()

    async def _give_up(self, work: Work, bug: BaseException) -> None:
        """An internal error ends the turn, and the chat is usable again."""
        try:
            if isinstance(bug, BrokenInvariant):
                # What is stored contradicts itself: ending the turn would leave it so.
                await self._env.door.apply(self.chat_id, reconcile, fence=work.job.fence)
            else:
                await fail(self._env, work.job, INTERNAL_ERROR)
        except (FenceLost, ChatNotFound):
            pass  # the chat moved on by itself
        except DatabaseError as error:
            log.warning("turn not ended", chat=self.chat_id, error=error.sentence)
        except Exception as error:  # noqa: BLE001 - tried again after a pause; a stop is heard
            await log_bug(log, "turn not ended", error, chat=self.chat_id)

    async def _read(self) -> Hint | None:
        """Read the chat as it is; None when the database does not answer.

        Raises:
            ChatNotFound: the chat was deleted.
        """
        try:
            row = await self._env.database.read(lambda c: load_chat(c, self.chat_id))
        except DatabaseError as error:
            log.warning("chat not read", chat=self.chat_id, error=error.sentence)
            return None
        return hint_of(row)

    async def _give_back(self, cause: Cause) -> bool:
        """Release the chat. Returns False when the database failed: it is ours still."""
        self._stop(cause)
        await self._all_ended()  # what it saves last is fenced by the chat being ours
        try:
            await self._env.door.apply(self.chat_id, release, fence=Fence(self._memory.runner_id))
        except (FenceLost, ChatNotFound) as error:
            _log_late(error)  # somebody else has it, or it is gone: nothing is to be given back
        except DatabaseError as error:
            # Who leaves all the same leaves a lease that runs out by itself.
            log.warning("chat not released", chat=self.chat_id, error=error.sentence)
            return False
        return True


def _log_late(error: BaseException | None) -> None:
    """Note a write that came too late: it changed nothing, and its fence says why."""
    if isinstance(error, FenceLost):
        log.info("late write refused", chat=error.chat_id, because=str(error))
