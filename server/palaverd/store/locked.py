"""A chat under its lock: the interface that transitions are written against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from palaver.wire.chats import QUEUE_LIMIT
from palaverd.chatstate import rules
from palaverd.chatstate.errors import BrokenInvariant, ChatNotFound, QueueFull, Refused
from palaverd.chatstate.invariants import row_violations
from palaverd.chatstate.states import ARCHIVED, RUNNABLE, Queue, State
from palaverd.chatstate.table import Transition, outcomes
from palaverd.store.rows import ChatRow, changed_values, chat_row, chat_values
from palaverd.store.tables import chats

# Statements are built once: building one takes as long as running it.
_LOCK = select(chats).where(chats.c.id == bindparam("chat_id")).with_for_update()
_INSERT = insert(chats)
_UPDATE = update(chats).where(chats.c.id == bindparam("chat_id"))


class LockedChat:
    """The row of one chat inside a writing transaction.

    `row` is a draft: transitions change its fields, and `flush` writes what differs. `now` is
    the time of the transaction in milliseconds since the epoch.
    """

    def __init__(self, connection: Connection, row: ChatRow, now: int, *, fresh: bool) -> None:
        self.connection = connection
        self.row = row
        self.now = now
        self.fresh = fresh
        self._locked = msgspec.structs.replace(row)
        self._flushed = self._locked
        self._written = not fresh
        self.deleted = False
        # Other chats that this transaction changes; they are written with this one.
        self.others: list[LockedChat] = []
        self.applied: list[Transition] = []

    @property
    def changed(self) -> bool:
        """Whether the row changed in this transaction."""
        return self.fresh or self.row.snapshot_version != self._locked.snapshot_version

    @contextmanager
    def transition(self, transition: Transition, *, broken: bool = False) -> Iterator[None]:
        """Apply a transition: the `with` body makes the change, the table decides whether it may.

        Args:
            broken: the chat is in an invalid state.

        Raises:
            Refused: the table has no such transition from the current state.
            QueueFull: the queue would exceed its limit.
            BrokenInvariant: the body ended in a state that the table does not list: a bug.
        """
        before = msgspec.structs.replace(self.row)
        origin = self._origin(before, broken)
        allowed = outcomes(transition, origin)
        if not allowed:
            raise Refused(transition, origin, _why_not(transition, origin))
        self.note_change()
        self.applied.append(transition)
        yield
        rules.settle(before, self.row, self.now)
        # Counted after the transition: it may have taken one out.
        if self.row.queue_length > max(QUEUE_LIMIT, before.queue_length):
            raise QueueFull(
                transition, origin, f"the queue holds {QUEUE_LIMIT} messages and no more"
            )
        if self.row.state not in allowed:
            raise BrokenInvariant(
                self.row.chat_id,
                [f"{transition.value} from {origin.name} ended in {self.row.state.name}"],
            )

    def _origin(self, before: ChatRow, broken: bool) -> State:
        if broken:
            return State.INVALID
        return State.ABSENT if self.fresh else before.state

    def delete(self) -> None:
        """Delete an archived chat with all its rows."""
        assert self.row.archived
        self.connection.execute(delete(chats).where(chats.c.id == self.row.chat_id))
        self.note_change()
        self.applied.append(Transition.DELETE)
        self.deleted = True

    def skip_to(self, version: int) -> None:
        """Make the next snapshot come after `version`, to repair counters that ran ahead."""
        self._locked.snapshot_version = version

    def note_change(self) -> None:
        """Increment the snapshot for a change that is not a transition, so that it is published."""
        self.row.snapshot_version = self._locked.snapshot_version + 1

    def note_news(self) -> None:
        """Record that something arrived to be read. What a new chat begins with is known."""
        if not self.fresh:
            self.row.news_version = self.row.snapshot_version

    def touch_queue(self) -> None:
        """Record a change of the queue, even if its length is the same."""
        self.row.queue_version = self.row.snapshot_version

    def flush(self) -> None:
        """Write the draft.

        Raises:
            BrokenInvariant: the row is invalid; roll back.
        """
        if self.deleted:
            return
        violations = row_violations(self.row)
        if violations:
            raise BrokenInvariant(self.row.chat_id, violations)
        if not self._written:
            self.connection.execute(_INSERT, chat_values(self.row))
            self._flushed = msgspec.structs.replace(self.row)
            self._written = True
            return
        changes = changed_values(self._flushed, self.row)
        if changes:
            self.connection.execute(_UPDATE, {"chat_id": self.row.chat_id, **changes})


def _why_not(transition: Transition, state: State) -> str:
    """Return why the table has no such transition from `state`, and what would help."""
    if state in ARCHIVED:
        return "it is archived; bring it back first"
    if state in RUNNABLE and outcomes(transition, State.W):
        return "it is busy; stop it first"
    if state.shape.queue is not Queue.EMPTY and outcomes(transition, State.E0):
        return "messages wait in its queue; send or remove them first"
    return "this cannot be done in the present state"


def lock(connection: Connection, chat_id: str, now: int, owner: str | None = None) -> LockedChat:
    """Lock a chat's row.

    Raises:
        ChatNotFound: there is none, or it is another owner's.
    """
    found: Any = connection.execute(_LOCK, {"chat_id": chat_id}).mappings().first()
    if found is None or (owner is not None and found["owner"] != owner):
        raise ChatNotFound(chat_id)
    return LockedChat(connection, chat_row(found), now, fresh=False)
