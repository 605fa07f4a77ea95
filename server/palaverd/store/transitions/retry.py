"""Transitions by which a user retries: a failed turn, or a long wait."""

from __future__ import annotations

from palaverd.chatstate.errors import Refused
from palaverd.chatstate.states import Status
from palaverd.chatstate.table import TABLE, Transition
from palaverd.store.locked import LockedChat

TURN_OVER = "The turn that this request was about is over."


def resume(chat: LockedChat, turn_version: int, at: int | None) -> str | None:
    """Retry a failed turn, now or at a given time (milliseconds since the epoch).

    Returns why nothing was changed, if so.

    Raises:
        Refused: the chat has not failed.
    """
    row = chat.row
    if row.state in TABLE[Transition.RESUME] and turn_version != row.turn_version:
        return TURN_OVER
    with chat.transition(Transition.RESUME):
        if at is not None:
            row.resume_at = at
            return None
        row.status = Status.RUNNING
        row.history_version = row.turn_version = row.snapshot_version
        row.updated_at = chat.now
    return None


def skip_backoff(chat: LockedChat, turn_version: int, retry_version: int) -> str | None:
    """Start a waiting retry now. Returns why nothing was changed, if so.

    Raises:
        Refused: no retry is waiting.
    """
    row = chat.row
    stale = (turn_version, retry_version) != (row.turn_version, row.retry_version)
    if row.retry is not None and stale:
        return TURN_OVER
    if row.retry is None:
        raise Refused(Transition.SKIP_BACKOFF, row.state, "no retry is waiting")
    with chat.transition(Transition.SKIP_BACKOFF):
        row.retry = None
    return None
