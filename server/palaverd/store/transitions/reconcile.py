"""Repair a chat in an invalid state, so that users can continue it."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from palaver.wire.errors import ChatError
from palaverd.chatstate.invariants import COUNTERS
from palaverd.chatstate.table import Transition
from palaverd.store.attempts import clear_partial
from palaverd.store.check import violations
from palaverd.store.history import fail
from palaverd.store.locked import LockedChat
from palaverd.store.tables import leases, queued_messages

REPAIRED = ChatError(
    kind="generic",
    message="This chat was found in a state that may not exist, and was repaired. Nothing that "
    "was said is lost; send a message to go on.",
)


def reconcile(chat: LockedChat) -> list[str]:
    """Repair a chat; return what was wrong. Changes nothing if nothing was."""
    wrong = violations(chat.connection, chat.row.chat_id)
    if not wrong:
        return []
    row = chat.row
    # No counter may be ahead of the snapshot, not even those that were.
    chat.skip_to(max(row.snapshot_version, *(getattr(row, name) for name in COUNTERS)))
    with chat.transition(Transition.RECONCILE, broken=True):
        clear_partial(chat)
        chat.connection.execute(delete(leases).where(leases.c.chat_id == row.chat_id))
        row.worker_id = row.runner_id = None
        row.retry = row.resume_at = row.compaction_requested_at = None
        row.waiting_for_children = row.queue_held = False
        row.queue_length = _true_length(chat)
        fail(chat, REPAIRED, "The call was given up when the chat was repaired.")
        row.turn_version = min(row.turn_version, row.history_version)
    return wrong


def _true_length(chat: LockedChat) -> int:
    return chat.connection.execute(
        select(func.count())
        .select_from(queued_messages)
        .where(queued_messages.c.chat_id == chat.row.chat_id)
    ).scalar_one()
