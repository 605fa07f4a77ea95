"""Run the open tool calls of a step, and commit their results together.

The model's response is committed with its calls open; their results are the second commit. What has
effects is in the journal between the two, so that it never runs twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import structlog

from palaver.wire.messages import ToolCall, ToolResult
from palaverd.generation.call import choose_model
from palaverd.generation.call_plan import Act, Ask, Ended, Look, Planned, groups, plan
from palaverd.generation.cancellation import Cause
from palaverd.generation.environment import Assignment, Environment
from palaverd.generation.live_output import LiveOutput
from palaverd.logs.bugs import log_bug
from palaverd.store.calls import Identity, WantedCall, finish, start, stored_calls
from palaverd.store.locked import LockedChat
from palaverd.store.prompt import History
from palaverd.store.transitions.required_action import require_action
from palaverd.store.transitions.turn import begin_calls, commit_results
from palaverd.tools.failures import ToolError
from palaverd.tools.output import OUTPUT_NAME, OUTPUT_SCHEME, budget_of, clipped
from palaverd.tools.running import Running
from palaverd.tools.tool import Intent, NotBegun, Outcome, Unknown
from palaverd.tools.workspace import Workspace

# More would wait for the disk.
LOOKS_AT_ONCE = 8

T = TypeVar("T")

log = structlog.get_logger("palaverd.generation")

MISTAKE = "This call failed because of a mistake in Palaver. The daemon's log has the details."


async def run_calls(
    env: Environment, job: Assignment, history: History, calls: Sequence[tuple[int, ToolCall]]
) -> None:
    """Run the open calls, each with the id of its message, and commit the results in call order.

    If some wait for a client, the others run first, and the chat waits.

    Raises:
        FenceLost: the chat changed meanwhile; nothing more was written.
        DatabaseError: nothing was written; retry.
        asyncio.CancelledError: the task was cancelled. What finished is in `env.finished`.
    """
    # What a stopped task had begun must not work beside this one.
    await env.commands.gone(job.chat_id)
    ids = [call.id for _, call in calls]
    stored = await env.database.read(lambda c: stored_calls(c, job.chat_id, ids))
    # Of a task whose commit failed.
    finished = env.finished.of(job.chat_id, history.row.history_version)
    planned = plan(calls, stored, finished, lambda name: env.toolbox.find(name, history.row))
    await _Step(env, job, history, planned).run()


class _Step:
    """The calls of one step. `_results` are those that are known, by call id."""

    def __init__(
        self, env: Environment, job: Assignment, history: History, planned: Sequence[Planned]
    ) -> None:
        self._env = env
        self._job = job
        self._row = history.row
        self._planned = planned
        self._asked = [one for one in planned if isinstance(one, Ask)]
        chosen = choose_model(env, history)
        self._sees = chosen is not None and chosen.terms.pictures
        self._live = LiveOutput(env, job, history.row)
        self._lost: set[str] = set()
        self._results = {
            one.result.call_id: one.result for one in planned if isinstance(one, Ended)
        }

    async def run(self) -> None:
        left = [one for one in self._planned if isinstance(one, Act)]
        try:
            for group in groups(self._planned):
                if isinstance(group, Act):
                    left.remove(group)
                    # The last result needs no entry: it is committed right after.
                    await self._act(group, keep=bool(left or self._asked))
                else:
                    await self._look_all(group)
            await self._commit()
        finally:
            self._live.end()

    async def _commit(self) -> None:
        if self._asked:
            await self._ask()
            return
        results = [self._results[_id_of(one)] for one in self._planned]
        await self._env.door.apply(
            self._job.chat_id,
            lambda chat: commit_results(chat, results, lost=self._lost),
            fence=self._job.fence,
        )

    async def _ask(self) -> None:
        now = self._env.door.now_ms()
        wanted = [
            WantedCall(
                ask.call.call_id,
                "result",
                None if ask.tool.deadline_s is None else now + int(ask.tool.deadline_s * 1000),
                ask.call,
            )
            for ask in self._asked
        ]
        kept = [one for one in self._planned if isinstance(one, Look)]

        def transition(chat: LockedChat) -> None:
            for look in kept:
                finish(chat, look.call, self._results[look.call.call_id])
            require_action(chat, wanted)

        await self._env.door.apply(self._job.chat_id, transition, fence=self._job.fence)

    async def _look_all(self, looks: Sequence[Look]) -> None:
        places = asyncio.Semaphore(LOOKS_AT_ONCE)

        async def look(one: Look) -> None:
            async with places:
                began = self._env.clock.monotonic()
                running = self._running(one.call)
                outcome = await self._guarded(one.call, lambda: one.tool.look(running, one.given))
                await self._end(one.call, running, outcome, began)

        async with asyncio.TaskGroup() as group:
            for one in looks:
                group.create_task(look(one))

    async def _act(self, act: Act, *, keep: bool) -> None:
        """Run a call with effects: what it intends, the journal, the effect."""
        began = self._env.clock.monotonic()
        running = self._running(act.call)
        intent = await self._guarded(act.call, lambda: self._intent(act, running))
        if isinstance(intent, Intent):
            await self._begin(act.call, intent.trace)
            outcome = await self._guarded(act.call, intent.act)
        else:
            outcome = intent
        result = await self._end(act.call, running, outcome, began)
        if keep:
            await self._env.door.apply(
                self._job.chat_id,
                lambda chat: finish(chat, act.call, result),
                fence=self._job.fence,
            )

    async def _intent(self, act: Act, running: Running) -> Intent | Outcome:
        """Return what a call is to do now, or its outcome if it began before and that is known."""
        if act.before is None:
            return await act.tool.intend(running, act.given)
        match await act.tool.find(running, act.given, act.before.trace):
            case NotBegun():
                return await act.tool.intend(running, act.given)
            case Unknown(why):
                self._lost.add(act.call.call_id)
                return Outcome(why, is_error=True)
            case Outcome() as found:
                return found

    async def _begin(self, call: Identity, trace: str | None) -> None:
        """Write to the journal that a call begins, and show its output from now on."""
        first = self._live.open()

        def transition(chat: LockedChat) -> None:
            if first:
                begin_calls(chat)
            start(chat, call, trace)

        await self._env.door.apply(self._job.chat_id, transition, fence=self._job.fence)
        self._live.counts()

    async def _guarded(self, call: Identity, work: Callable[[], Awaitable[T]]) -> T | Outcome:
        """Do a tool's work; a failure is an outcome, never an end of the turn."""
        try:
            return await work()
        except ToolError as error:
            return Outcome(str(error), is_error=True)
        except Exception as error:  # noqa: BLE001 - a tool's bug must not end the turn
            await log_bug(log, "tool failed", error, chat=self._job.chat_id, tool=call.tool)
            return Outcome(MISTAKE, is_error=True)

    async def _end(
        self, call: Identity, running: Running, outcome: Outcome, began: float
    ) -> ToolResult:
        whole = f"All of it is in {OUTPUT_SCHEME}{call.call_id}, which read_file reads."
        text = clipped(outcome.text, running.budget, whole)
        if text is not outcome.text:
            await asyncio.to_thread(_keep, running.folder, outcome.text)
        result = ToolResult(
            call_id=call.call_id,
            text=text,
            is_error=outcome.is_error,
            duration_ms=int((self._env.clock.monotonic() - began) * 1000),
            picture=outcome.picture,
        )
        self._results[call.call_id] = result
        self._env.finished.add(self._job.chat_id, self._row.history_version, result)
        return result

    def _running(self, call: Identity) -> Running:
        path = self._row.workspace_path
        return Running(
            chat_id=self._job.chat_id,
            call_id=call.call_id,
            workspace=None if path is None else Workspace(Path(path), self._env.umask),
            budget=budget_of(self._row.context_limit),
            folder=self._env.call_folders / self._job.chat_id / call.call_id,
            say=self._live.speaker(call),
            clock=self._env.clock,
            sees=self._sees,
            processes=self._env.commands,
            handed_over=lambda: self._job.cancellation.cause is Cause.LEASE_LOST,
        )


def _id_of(one: Planned) -> str:
    return one.result.call_id if isinstance(one, Ended) else one.call.call_id


def _keep(folder: Path, text: str) -> None:
    """Write a whole output beside the journal, for people and for `read_file`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / OUTPUT_NAME).write_bytes(text.encode("utf-8", "replace"))
