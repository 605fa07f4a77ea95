"""What a runner does with what it hears. Pure: hint and memory in, decision out."""

from __future__ import annotations

import msgspec

from palaverd.chatstate.states import Status
from palaverd.generation.cancellation import Cause
from palaverd.store.hints import Hint


class Ignore(msgspec.Struct, frozen=True):
    """Nothing new."""


class Hand(msgspec.Struct, frozen=True):
    """The work is the same; the task may want to know."""


class Leave(msgspec.Struct, frozen=True):
    """The chat is not ours any more: stop and clean up."""

    cause: Cause


class Start(msgspec.Struct, frozen=True):
    """Stop the present task, if any, for this cause, and begin what the status asks for."""

    cause: Cause


class GiveBack(msgspec.Struct, frozen=True):
    """Nothing is left to do: stop the present task, if any, and release the chat."""

    cause: Cause


Decision = Ignore | Hand | Leave | Start | GiveBack

_WORK = frozenset({Status.RUNNING, Status.INTERRUPTING, Status.REQUIRES_ACTION})


def decide(runner_id: str, seen: Hint, started: Hint | None, hint: Hint) -> Decision:
    """Compare what is heard to what was seen last.

    Args:
        runner_id: this runner.
        seen: the newest state that this runner has seen.
        started: the state that the living task was started for, None without one.
        hint: what is heard now.
    """
    if hint.snapshot_version < seen.snapshot_version:
        return Ignore()
    if hint.deleted or hint.runner_id != runner_id:
        return Leave(Cause.LEASE_LOST)
    if started is not None:
        if hint.snapshot_version == seen.snapshot_version:
            return Ignore()
        same = (hint.status, hint.history_version) == (started.status, started.history_version)
        if same and not hint.archived:
            return Hand()
    interrupting = hint.status == Status.INTERRUPTING
    cause = Cause.INTERRUPTED if interrupting else Cause.SUPERSEDED
    if hint.archived or hint.status not in _WORK:
        return GiveBack(cause)
    return Start(cause)


class Memory:
    """What a runner saw last, and what its living task was started for.

    What it saw last starts as what its own acquisition returned, so that an older hint cannot
    stop it.
    """

    def __init__(self, runner_id: str, acquired: Hint) -> None:
        self.runner_id = runner_id
        self.seen = acquired
        self.started: Hint | None = None

    def hear(self, hint: Hint) -> Decision:
        """Take in what is heard, and say what to do; the caller does it."""
        decision = decide(self.runner_id, self.seen, self.started, hint)
        if hint.snapshot_version >= self.seen.snapshot_version:
            self.seen = hint
        if isinstance(decision, Start):
            self.started = hint
        elif isinstance(decision, Leave | GiveBack):
            self.started = None
        return decision

    def task_ended(self) -> None:
        """The task is over: the same state may start one again."""
        self.started = None
