"""The invariants of every chat, checked after every transaction."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from palaverd.chatstate.execution import Execution
from palaverd.chatstate.states import State, Status

# They hold snapshots in which something changed.
COUNTERS = (
    "history_version",
    "turn_version",
    "queue_version",
    "retry_version",
    "news_version",
    "read_version",
)


class HistoryEntry(msgspec.Struct, frozen=True):
    """What the invariants need of a message: the ids of its tool calls and of its results."""

    id: int
    role: str
    revision: int
    calls: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()


def row_violations(row: Execution) -> list[str]:
    """Return the invariants that the row alone violates."""
    wrong = []
    if row.state is State.INVALID:
        wrong.append(
            f"no state is {row.status}, queue of {row.queue_length}"
            f"{' held' if row.queue_held else ''}{', archived' if row.archived else ''}"
        )
    wrong += [
        f"{name} is ahead of snapshot_version"
        for name in COUNTERS
        if getattr(row, name) > row.snapshot_version
    ]
    if row.turn_version > row.history_version:
        wrong.append("turn_version is ahead of history_version")
    if (row.status == Status.ERROR) != (row.last_error is not None):
        wrong.append("an error is stored exactly in the status error")
    if row.retry is not None and row.status != Status.RUNNING:
        wrong.append("a retry is stored outside running")
    if row.asks is not None and row.status != Status.REQUIRES_ACTION:
        wrong.append("what is asked is stored outside requires_action")
    if row.resume_at is not None and (row.status != Status.ERROR or row.archived):
        wrong.append("resume_at is stored outside an unarchived error")
    if row.compaction_requested_at is not None and row.status != Status.RUNNING:
        wrong.append("compaction_requested_at is stored outside running")
    if (row.worker_id is None) != (row.runner_id is None):
        wrong.append("a worker without a runner, or the other way round")
    return wrong


def history_violations(
    row: Execution, queue_ids: Sequence[int], history: Sequence[HistoryEntry]
) -> list[str]:
    """Return the violations between the row, its queue, and its undeleted messages in order."""
    wrong = []
    if len(queue_ids) != row.queue_length:
        wrong.append(f"queue_length is {row.queue_length}, {len(queue_ids)} are queued")
    if len(set(queue_ids)) != len(queue_ids):
        wrong.append("a queued message stands twice in the queue")
    open_calls: set[str] = set()
    for entry in history:
        if entry.revision > row.snapshot_version:
            wrong.append(f"message {entry.id} is of a later snapshot")
        if entry.role == "user" and open_calls:
            wrong.append(f"message {entry.id} of a user follows open calls")
        open_calls |= entry.calls
        open_calls -= entry.answers
    return wrong


def progress_violations(before: Execution, after: Execution) -> list[str]:
    """Return which versions decreased between two readings of a chat."""
    names = ("snapshot_version", *COUNTERS)
    return [f"{name} fell" for name in names if getattr(after, name) < getattr(before, name)]
