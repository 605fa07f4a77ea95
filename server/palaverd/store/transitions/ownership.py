"""Acquire and release a chat for a runner, independent of its status."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert

from palaverd.chatstate.states import RUNNABLE_STATUSES
from palaverd.chatstate.table import Transition
from palaverd.store.locked import LockedChat
from palaverd.store.tables import leases

_LEASE = insert(leases)
_DROP_LEASE = delete(leases).where(leases.c.chat_id == bindparam("of_chat"))


def acquire(chat: LockedChat, worker_id: str, runner_id: str) -> None:
    """Acquire a chat for a runner, with its first heartbeat."""
    with chat.transition(Transition.ACQUIRE):
        chat.row.worker_id = worker_id
        chat.row.runner_id = runner_id
        chat.row.waiting_for_children = False
        _drop_lease(chat)
        lease = {"chat_id": chat.row.chat_id, "runner_id": runner_id, "heartbeat": chat.now}
        chat.connection.execute(_LEASE, lease)


def release(chat: LockedChat) -> None:
    """Release a chat. A running one is acquired again by any worker."""
    with chat.transition(Transition.RELEASE):
        chat.row.worker_id = None
        chat.row.runner_id = None
        _drop_lease(chat)


def release_at_rest(chat: LockedChat) -> None:
    """Release a chat if its runner has nothing left to do, in the transaction of its last work."""
    if chat.row.runner_id is not None and chat.row.status not in RUNNABLE_STATUSES:
        release(chat)


def set_waiting_for_children(chat: LockedChat, waiting: bool) -> None:
    """Set whether a parent only waits for its children, which takes no capacity."""
    with chat.transition(Transition.SET_WAITING_FOR_CHILDREN):
        chat.row.waiting_for_children = waiting


def _drop_lease(chat: LockedChat) -> None:
    chat.connection.execute(_DROP_LEASE, {"of_chat": chat.row.chat_id})
