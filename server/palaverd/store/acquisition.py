"""Acquire chats that need a worker; leases and heartbeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import msgspec
import structlog
from sqlalchemy import Connection, bindparam, func, or_, select, update
from sqlalchemy.exc import DBAPIError

from palaver.wire.chats import PendingReason
from palaverd.chatstate.invariants import row_violations
from palaverd.chatstate.states import State, Status
from palaverd.chatstate.table import Transition
from palaverd.store import tables
from palaverd.store.door import Applied, finish
from palaverd.store.hints import Hint, hint_of
from palaverd.store.listing import read_chats
from palaverd.store.locked import LockedChat, lock
from palaverd.store.savepoints import savepoint
from palaverd.store.tables import chats, leases
from palaverd.store.transitions.ownership import acquire, release
from palaverd.store.transitions.reconcile import reconcile
from palaverd.store.transitions.retry import resume

log = structlog.get_logger("palaverd.store")

_KNOWN = [status.value for status in Status]

# Statements are built once: building one takes as long as running it.
_SUBAGENT = chats.c.parent_id.is_not(None)
# Nobody holds a chat: it has no runner, or one whose lease has expired.
_UNHELD = or_(
    chats.c.runner_id.is_(None),
    leases.c.runner_id.is_(None),
    leases.c.runner_id != chats.c.runner_id,
    leases.c.heartbeat < bindparam("expired"),
)
_FIND_UNHELD = (
    select(
        chats.c.id,
        chats.c.status,
        _SUBAGENT.label("subagent"),
        chats.c.workspace_host,
        chats.c.runner_id,
        chats.c.pending_reason,
        chats.c.waiting_for_children,
    )
    .join(leases, leases.c.chat_id == chats.c.id, isouter=True)
    .where(tables.RUNNABLE, _UNHELD)
    .order_by(chats.c.updated_at)
)
_COUNT_HELD = (
    select(_SUBAGENT, func.count())
    .join(leases, leases.c.chat_id == chats.c.id)
    .where(
        ~chats.c.archived,
        chats.c.status == Status.RUNNING.value,
        ~_UNHELD,
        ~chats.c.waiting_for_children,
    )
    .group_by(_SUBAGENT)
)
_FIND_DUE = select(chats.c.id).where(
    chats.c.resume_at.is_not(None), chats.c.resume_at <= bindparam("now")
)


class Taker(msgspec.Struct, frozen=True):
    """The worker that acquires chats, and its limits.

    `max_chats` and `max_subagents` are how many may run at once (0 for no limit); sub-agents are
    counted separately. A lease holds for `lease_ms` without a heartbeat. `runner_ids` are the
    runners that the worker has already; they count as alive whatever their leases say: after the
    machine slept, an acquisition may come before the heartbeat.
    """

    worker_id: str
    host: str
    max_chats: int
    max_subagents: int
    lease_ms: int
    runner_ids: frozenset[str] = frozenset()


def acquire_chats(
    connection: Connection, taker: Taker, new_runner: Callable[[], str], now: int
) -> list[Applied[None]]:
    """Acquire chats that have no worker, or whose lease has expired; oldest first.

    Only a running chat waits for capacity, or for the machine with its files: an interruption needs
    neither, and a chat that waits for a user's answer takes no capacity.
    """
    expired = {"expired": now - taker.lease_ms}
    found = connection.execute(_FIND_UNHELD, expired).all()
    unheld = [one for one in found if one.runner_id not in taker.runner_ids]
    if not unheld:
        return []
    held = Counter({bool(kind): n for kind, n in connection.execute(_COUNT_HELD, expired)})
    for one in found:
        if one.runner_id in taker.runner_ids and one.status == Status.RUNNING:
            held[bool(one.subagent)] += not one.waiting_for_children
    places = _places(taker, held)
    applied = []
    for chat_id, status, subagent, host, runner_id, told, _ in unheld:
        running = status == Status.RUNNING
        reason = _must_wait(taker, host, places[subagent]) if running else None
        if reason is not None and reason == told and runner_id is None:
            continue
        if reason is None:
            done = _change(connection, [chat_id], now, partial(_take, taker, new_runner))
            taken = any(Transition.ACQUIRE in one.transitions for one in done)
            places[subagent] -= running and taken
        else:
            done = _change(connection, [chat_id], now, partial(_wait, reason))
        applied += done
    return applied


def _change(
    connection: Connection,
    chat_ids: Iterable[str],
    now: int,
    work: Callable[[LockedChat], object],
) -> list[Applied[None]]:
    """Lock each chat and apply `work`, or repair it if it is in an invalid state.

    A chat for which both fail is skipped: it must not block the others.
    """
    applied = []
    for chat_id in list(chat_ids):
        try:
            with savepoint(connection):
                chat = lock(connection, chat_id, now)
                if not _repaired(chat):
                    work(chat)
                done = finish(chat, None)
        except DBAPIError:
            raise  # the database itself failed
        except Exception as error:
            log.error("chat left out", chat=chat_id, exc_info=error)
        else:
            applied.append(done)
    return applied


def _take(taker: Taker, new_runner: Callable[[], str], chat: LockedChat) -> None:
    acquire(chat, taker.worker_id, new_runner())


def _wait(reason: PendingReason, chat: LockedChat) -> None:
    """Keep a chat pending, with the reason for clients and replicas."""
    if chat.row.runner_id is not None:
        release(chat)  # its worker died, and it cannot be acquired yet
    chat.note_change()
    chat.row.pending_reason = reason
    chat.row.pending_since = chat.row.pending_since or chat.now


def _must_wait(taker: Taker, host: str | None, places: int) -> PendingReason | None:
    """Return why a running chat cannot be acquired; None if it can."""
    if host not in (None, taker.host):
        return "wrong_host"
    return "capacity" if places == 0 else None


def _repaired(chat: LockedChat) -> bool:
    """Repair a chat in an invalid state before any other work; return whether it was."""
    if chat.row.state is not State.INVALID and not row_violations(chat.row):
        return False
    reconcile(chat)
    return True


def explain_pending(connection: Connection, reason: PendingReason, now: int) -> list[Applied[None]]:
    """Set the reason of pending chats that no worker here acquires."""
    waiting = connection.execute(
        select(chats.c.id).where(
            ~chats.c.archived,
            chats.c.status == Status.RUNNING.value,
            chats.c.runner_id.is_(None),
            or_(chats.c.pending_reason.is_(None), chats.c.pending_reason != reason),
        )
    ).scalars()
    return _change(connection, waiting, now, partial(_wait, reason))


def _places(taker: Taker, held: Mapping[bool, int]) -> dict[bool, int]:
    """Return the free capacity for chats (False) and for sub-agents (True).

    Negative is no limit. A chat whose worker died takes no capacity.
    """
    allowed = {False: taker.max_chats, True: taker.max_subagents}
    return {kind: max(0, limit - held[kind]) if limit else -1 for kind, limit in allowed.items()}


def resume_due(connection: Connection, now: int) -> list[Applied[None]]:
    """Resume the failed turns whose `resume_at` has come."""
    due = connection.execute(_FIND_DUE, {"now": now}).scalars()
    return _change(connection, due, now, lambda chat: resume(chat, chat.row.turn_version, None))


def void_leases(connection: Connection, now: int) -> list[Applied[None]]:
    """Release every chat: the data directory's lock proves that earlier daemons are dead.

    This reads all chats, once at the start, so chats with an unknown status are repaired here.
    """
    found = connection.execute(
        select(chats.c.id).where(or_(chats.c.runner_id.is_not(None), chats.c.status.not_in(_KNOWN)))
    ).scalars()
    return _change(connection, found, now, release)


def heartbeat(connection: Connection, runner_ids: Sequence[str], now: int) -> None:
    """Write the heartbeat of all runners, in one statement. No version changes."""
    connection.execute(
        update(leases).where(leases.c.runner_id.in_(runner_ids)).values(heartbeat=now)
    )


def read_hints(connection: Connection, chat_ids: Sequence[str]) -> list[Hint]:
    """Return the current hints of these chats."""
    return [hint_of(row) for row in read_chats(connection, chat_ids)]
