"""A runner's reaction to a hint. Pure: hint and memory in, decision out."""

from __future__ import annotations

import msgspec

from palaverd.chatstate.states import RUNNABLE_STATUSES, Status
from palaverd.generation.cancellation import Cause
from palaverd.store.hints import Hint


class Ignore(msgspec.Struct, frozen=True):
    """Do nothing: the hint is not new."""


class Notify(msgspec.Struct, frozen=True):
    """Notify the task: its work is unchanged."""


class Leave(msgspec.Struct, frozen=True):
    """Stop without releasing: the task's last commit released the chat, another runner has it, or
    it was deleted.
    """

    cause: Cause


class Start(msgspec.Struct, frozen=True):
    """Stop the current task, if any, with this cause, and start the one for the status."""

    cause: Cause


class Release(msgspec.Struct, frozen=True):
    """Stop the current task, if any, and release the chat: there is nothing left to do."""

    cause: Cause


Decision = Ignore | Notify | Leave | Start | Release


def decide(runner_id: str, seen: Hint, started: Hint | None, hint: Hint) -> Decision:
    """Compare a hint with the newest state seen.

    Args:
        runner_id: this runner.
        seen: the newest state that this runner has seen.
        started: the state that the running task was started for, None without a task.
        hint: the hint to react to.
    """
    if hint.snapshot_version < seen.snapshot_version:
        return Ignore()
    if hint.deleted or hint.runner_id != runner_id:
        return Leave(Cause.SUPERSEDED if hint.runner_id is None else Cause.LEASE_LOST)
    if started is not None:
        if hint.snapshot_version == seen.snapshot_version:
            return Ignore()
        same = (hint.status, hint.history_version) == (started.status, started.history_version)
        if same and not hint.archived:
            return Notify()
    interrupting = hint.status == Status.INTERRUPTING
    cause = Cause.INTERRUPTED if interrupting else Cause.SUPERSEDED
    if hint.archived or hint.status not in RUNNABLE_STATUSES:
        return Release(cause)
    return Start(cause)


class Memory:
    """The newest state that a runner saw, and the state its running task was started for.

    It begins with the state that its own acquisition returned, so that an older hint cannot stop
    it.
    """

    def __init__(self, runner_id: str, acquired: Hint) -> None:
        self.runner_id = runner_id
        self.seen = acquired
        self.started: Hint | None = None

    def handle(self, hint: Hint) -> Decision:
        """Record a hint and return the decision, which the caller carries out."""
        decision = decide(self.runner_id, self.seen, self.started, hint)
        if hint.snapshot_version >= self.seen.snapshot_version:
            self.seen = hint
        if isinstance(decision, Start):
            self.started = hint
        elif isinstance(decision, Leave | Release):
            self.started = None
        return decision

    def task_ended(self) -> None:
        """Record that the task ended: the same state may start another."""
        self.started = None
