"""Which chats need a worker, and the heartbeats of those that have one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, and_, func, or_, select, update

from palaver.wire.chats import PendingReason
from palaverd.chatstate.invariants import row_violations
from palaverd.chatstate.states import State, Status
from palaverd.store import tables
from palaverd.store.door import Applied, finish
from palaverd.store.hints import Hint, hint_of
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import chat_row
from palaverd.store.tables import chats, leases
from palaverd.store.transitions.ownership import acquire, release
from palaverd.store.transitions.recovering import resume
from palaverd.store.transitions.repairing import reconcile

_KNOWN = [status.value for status in Status]


class Capacity(msgspec.Struct, frozen=True):
    """How many chats may run at once; 0 is no limit."""

    max_chats: int


def acquire_chats(
    connection: Connection,
    worker_id: str,
    new_runner: Callable[[], str],
    capacity: Capacity,
    lease_ms: int,
    now: int,
) -> list[Applied[None]]:
    """Take chats that need a worker and have none, or whose lease has expired; oldest first.

    Interruptions never wait for capacity; answers that a person owes take none.
    """
    expired = and_(leases.c.runner_id == chats.c.runner_id, leases.c.heartbeat < now - lease_ms)
    found = connection.execute(
        select(chats.c.id, chats.c.status, chats.c.pending_reason)
        .join(leases, leases.c.chat_id == chats.c.id, isouter=True)
        .where(tables.RUNNABLE, or_(chats.c.runner_id.is_(None), expired))
        .order_by(chats.c.updated_at)
    ).all()
    places = _places(connection, capacity) if found else 0
    applied = []
    for chat_id, status, reason in found:
        if status == Status.RUNNING and places == 0:
            if reason != "capacity":
                applied += _say_why(lock(connection, chat_id, now), "capacity")
            continue
        chat = lock(connection, chat_id, now)
        places -= status == Status.RUNNING
        if not _repaired(chat):
            acquire(chat, worker_id, new_runner())
        applied.append(finish(chat, None))
    return applied


def _repaired(chat: LockedChat) -> bool:
    """Repair a chat that may not exist as it is: nobody may work on it before."""
    if chat.row.state is not State.INVALID and not row_violations(chat.row):
        return False
    reconcile(chat)
    return True


def explain_pending(connection: Connection, reason: PendingReason, now: int) -> list[Applied[None]]:
    """Say why chats wait that nobody here takes."""
    waiting = connection.execute(
        select(chats.c.id).where(
            ~chats.c.archived,
            chats.c.status == Status.RUNNING.value,
            chats.c.runner_id.is_(None),
        )
    ).scalars()
    return [
        applied
        for chat_id in list(waiting)
        for applied in _say_why(lock(connection, chat_id, now), reason)
    ]


def _say_why(chat: LockedChat, reason: PendingReason) -> list[Applied[None]]:
    """Write the reason for a wait once, so that every client and replica can tell it."""
    if not chat.row.pending or chat.row.pending_reason == reason:
        return []
    chat.note_change()
    chat.row.pending_reason = reason
    chat.row.pending_since = chat.row.pending_since or chat.now
    return [finish(chat, None)]


def _places(connection: Connection, capacity: Capacity) -> int:
    """Return how many more chats may run; -1 for no limit."""
    if capacity.max_chats == 0:
        return -1
    held = connection.execute(
        select(func.count())
        .select_from(chats)
        .where(
            ~chats.c.archived,
            chats.c.status == Status.RUNNING.value,
            chats.c.runner_id.is_not(None),
            ~chats.c.waiting_for_children,
        )
    ).scalar_one()
    return max(0, capacity.max_chats - int(held))


def resume_due(connection: Connection, now: int) -> list[Applied[None]]:
    """Try the failed turns again whose time has come."""
    due = connection.execute(
        select(chats.c.id).where(chats.c.resume_at.is_not(None), chats.c.resume_at <= now)
    ).scalars()
    applied = []
    for chat_id in list(due):
        chat = lock(connection, chat_id, now)
        resume(chat, chat.row.turn_version, None)
        applied.append(finish(chat, None))
    return applied


def void_leases(connection: Connection, now: int) -> list[Applied[None]]:
    """Release every chat: the data directory's lock proves that earlier daemons are dead.

    This looks at all chats, once, at the start; so chats in no known status are repaired here.
    """
    found = connection.execute(
        select(chats.c.id).where(or_(chats.c.runner_id.is_not(None), chats.c.status.not_in(_KNOWN)))
    ).scalars()
    applied = []
    for chat_id in list(found):
        chat = lock(connection, chat_id, now)
        if not _repaired(chat):
            release(chat)
        applied.append(finish(chat, None))
    return applied


def heartbeat(connection: Connection, runner_ids: Sequence[str], now: int) -> None:
    """Write the heartbeat of all runners, in one statement. No version moves."""
    connection.execute(
        update(leases).where(leases.c.runner_id.in_(runner_ids)).values(heartbeat=now)
    )


def read_hints(connection: Connection, chat_ids: Sequence[str]) -> list[Hint]:
    """Read what the newest hints of these chats should have said."""
    found = connection.execute(select(chats).where(chats.c.id.in_(chat_ids))).mappings()
    return [hint_of(chat_row(one)) for one in found]  # type: ignore[arg-type]
