"""The task of a chat in requires_action: wait for clients, and cancel calls at their deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from palaverd.chatstate.states import Status
from palaverd.generation.environment import Assignment, Environment
from palaverd.store.calls import StoredCall, waiting_calls
from palaverd.store.transitions.required_action import cancel_action


async def wait_for_answer(env: Environment, job: Assignment) -> None:
    """Wait for clients' answers; the last one changes the status, which ends this task.

    Raises:
        FenceLost: the chat changed meanwhile; nothing was written.
        DatabaseError: nothing was written; retry.
    """
    while True:
        calls = await env.database.read(lambda c: waiting_calls(c, job.chat_id))
        deadline = _earliest(calls)
        if deadline is None:
            await asyncio.Event().wait()
            continue
        # Loaded again after each wait: a call may have been answered, the wall clock been set.
        if (left := deadline - env.door.now_ms()) > 0:
            await env.clock.sleep(left / 1000)
        applied = await env.door.apply(job.chat_id, cancel_action, fence=job.fence)
        if applied.row.status != Status.REQUIRES_ACTION:
            return


def _earliest(calls: Iterable[StoredCall]) -> int | None:
    """Return the next deadline, in milliseconds since the epoch; None without one."""
    return min((call.deadline for call in calls if call.deadline is not None), default=None)
