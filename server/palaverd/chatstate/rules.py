"""Rules that hold across transitions, applied once per transaction to the changed row."""

from __future__ import annotations

from palaverd.chatstate.execution import Execution
from palaverd.chatstate.states import Status


def settle(before: Execution, after: Execution, now: int) -> None:
    """Update the fields of `after` that follow from a change of status, queue or history.

    `before` is the row as it was locked, `now` the time in milliseconds since the epoch. Counters
    take the value of `after.snapshot_version`.
    """
    if not after.pending:
        after.pending_reason = after.pending_since = None
    elif after.pending_since is None:
        after.pending_since = now
    if after.queue_length == 0 or after.status == Status.ERROR:
        # An empty queue is never held; in error nothing starts by itself, so a hold has no meaning.
        after.queue_held = False
    if (after.queue_length, after.queue_held) != (before.queue_length, before.queue_held):
        after.queue_version = after.snapshot_version
    if before.status == Status.ERROR != after.status:
        after.last_error = None
        after.resume_at = None
    if after.status != Status.REQUIRES_ACTION:
        after.asks = None
    if after.archived:
        after.resume_at = None
    if after.status != Status.RUNNING:
        after.compaction_requested_at = None
        after.waiting_for_children = False
        after.retry = None
    _count(before, after)


def _count(before: Execution, after: Execution) -> None:
    """Update the counts of attempts and steps, and the retry, which belongs to an attempt."""
    if after.history_version != before.history_version:
        after.generation_attempt = 0
        after.waiting_for_children = False
        after.retry = None
    if after.turn_version != before.turn_version:
        after.turn_steps = 0
    if after.generation_attempt != before.generation_attempt:
        after.retry = None
    if after.retry != before.retry:
        after.retry_version = after.snapshot_version
