"""Convert changes of a chat to events, in the order in which clients must apply them."""

from __future__ import annotations

from collections.abc import Sequence

from palaver.wire.events import (
    ActionRequired,
    ErrorEvent,
    HistoryReset,
    HistoryTruncated,
    MessageEvent,
    PreviewReset,
    QueueUpdate,
    RetryEvent,
    StatusEvent,
    StreamEvent,
    UsageEvent,
)
from palaver.wire.questions import OpenCall
from palaverd.chatstate.states import Status
from palaverd.store.codec import from_ms_optional
from palaverd.store.rows import ChatRow, status_of, versions_of
from palaverd.store.sync import Changes

_SHOWS_LIVE = frozenset({Status.RUNNING, Status.INTERRUPTING})


def shown_episode(row: ChatRow) -> str | None:
    """Return the episode that belongs to the row; None if none does."""
    if row.status in _SHOWS_LIVE and row.generation_attempt > 0:
        return row.episode
    return None


def status_event(row: ChatRow) -> StatusEvent:
    """Return the head of the chat as an event."""
    status, pending = status_of(row)
    return StatusEvent(
        status=status,
        versions=versions_of(row),
        title=row.title,
        model=row.model,
        pending=pending,
        pending_since=from_ms_optional(row.pending_since),
    )


def events_for(
    changes: Changes,
    before: ChatRow | None,
    since: int | None,
    episode: str | None,
    *,
    failed: bool = False,
) -> list[StreamEvent]:
    """Return the events for a subscriber.

    Args:
        changes: what was read.
        before: the last row that was sent on this connection, None at its beginning.
        since: the snapshot that the client has, None for nothing.
        episode: the live output that the client shows, None for none.
        failed: a read failed before, and the client was told so as the chat's error.
    """
    row = changes.row
    events: list[StreamEvent] = []
    if since is not None and since > row.snapshot_version:
        # The client has a later snapshot: the database was restored from a backup.
        events.append(HistoryReset())
    if changes.truncated_from is not None:
        events.append(HistoryTruncated(from_id=changes.truncated_from))
    replaced = False
    for changed in changes.messages:
        events.append(MessageEvent(message=changed.message, replaces=changed.episode))
        replaced = replaced or (episode is not None and changed.episode == episode)
    if changes.queue is not None:
        events.append(QueueUpdate(queue=changes.queue, held=row.queue_held))
    events.append(status_event(row))
    known_error = before.last_error if before is not None else None
    known_resume = before.resume_at if before is not None else None
    resumed = since is not None and before is None
    if row.last_error != known_error or row.resume_at != known_resume or resumed or failed:
        events.append(_error_event(row))
    asked_before = before is not None and before.status == Status.REQUIRES_ACTION
    if row.status == Status.REQUIRES_ACTION or asked_before or resumed:
        events.append(_action_event(changes.open_calls))
    known_retry = before.retry if before is not None else None
    if row.retry != known_retry or resumed:
        events.append(RetryEvent(retry=row.retry))
    if before is None or changes.messages or row.context_tokens != before.context_tokens:
        events.append(
            UsageEvent(
                usage=changes.last_usage,
                context_tokens=row.context_tokens,
                context_limit=row.context_limit,
            )
        )
    shown = shown_episode(row)
    if episode is not None and episode != shown and not replaced:
        events.append(PreviewReset(episode=shown))
    return events


def _action_event(calls: Sequence[OpenCall]) -> ActionRequired:
    deadlines = [call.deadline for call in calls if call.deadline is not None]
    return ActionRequired(
        call_ids=[call.call_id for call in calls],
        deadline=min(deadlines, default=None),
        calls=list(calls),
    )


def _error_event(row: ChatRow) -> ErrorEvent:
    return ErrorEvent(error=row.last_error, resume_at=from_ms_optional(row.resume_at))
