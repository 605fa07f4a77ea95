"""The journal of model calls, and the partial answer of the one that runs.

These writes belong to transitions or stand beside them; none of them moves a version.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from palaver.wire.messages import Part, Usage
from palaverd.failures.fallback import Tried
from palaverd.store import codec
from palaverd.store.locked import LockedChat
from palaverd.store.tables import attempts, partials

# `of_` names what is looked for: a column's own name would be what is written.
_OPEN = insert(attempts)
_CLOSE = update(attempts).where(
    attempts.c.chat_id == bindparam("of_chat"),
    attempts.c.history_version == bindparam("of_history"),
    attempts.c.attempt == bindparam("of_attempt"),
    attempts.c.outcome.is_(None),
)
_LOSE = (
    update(attempts)
    .where(attempts.c.chat_id == bindparam("of_chat"), attempts.c.outcome.is_(None))
    .values(outcome="lost")
)
_SAVE = insert(partials)
_CLEAR = delete(partials).where(partials.c.chat_id == bindparam("of_chat"))


class Partial(msgspec.Struct, frozen=True):
    """A saved prefix of a live answer."""

    history_version: int
    attempt: int
    parts: list[Part]
    model: str | None


def open_attempt(chat: LockedChat, model: str | None) -> None:
    """Write that the attempt which the row counts begins.

    One that is still open went away with its worker: what it used is unknown.
    """
    chat.connection.execute(_LOSE, {"of_chat": chat.row.chat_id})
    chat.connection.execute(
        _OPEN,
        {
            "chat_id": chat.row.chat_id,
            "history_version": chat.row.history_version,
            "attempt": chat.row.generation_attempt,
            "model": model,
            "started_at": chat.now,
        },
    )


def close_attempt(chat: LockedChat, outcome: str, usage: Usage | None = None) -> None:
    """Write how the present attempt ended: a finish, or the kind of a failure."""
    chat.connection.execute(
        _CLOSE,
        {
            "of_chat": chat.row.chat_id,
            "of_history": chat.row.history_version,
            "of_attempt": chat.row.generation_attempt,
            "outcome": outcome,
            "usage": codec.dumps_optional(usage),
        },
    )


def load_tried(connection: Connection, chat_id: str, history_version: int) -> list[Tried]:
    """Return who was asked on this history, in order, and how each attempt ended."""
    found = connection.execute(
        select(attempts.c.model, attempts.c.outcome, attempts.c.started_at)
        .where(attempts.c.chat_id == chat_id, attempts.c.history_version == history_version)
        .order_by(attempts.c.attempt)
    )
    return [Tried(one.model, one.outcome, one.started_at) for one in found]


def save_partial(chat: LockedChat, parts: list[Part], model: str | None, episode: str) -> None:
    """Save what clients were shown so far of `episode`. No transition: no version moves.

    What an attempt showed that is not the row's any more is not worth keeping.
    """
    if episode != chat.row.episode:
        return
    clear_partial(chat)
    chat.connection.execute(
        _SAVE,
        {
            "chat_id": chat.row.chat_id,
            "history_version": chat.row.history_version,
            "attempt": chat.row.generation_attempt,
            "parts": codec.dumps(parts),
            "model": model,
            "saved_at": chat.now,
        },
    )


def clear_partial(chat: LockedChat) -> None:
    """Forget the saved partial answer."""
    chat.connection.execute(_CLEAR, {"of_chat": chat.row.chat_id})


def load_partial(connection: Connection, chat_id: str) -> Partial | None:
    """Return the saved partial answer, of whichever attempt it is."""
    found = connection.execute(select(partials).where(partials.c.chat_id == chat_id)).first()
    if found is None:
        return None
    return Partial(
        history_version=found.history_version,
        attempt=found.attempt,
        parts=codec.load_parts(found.parts),
        model=found.model,
    )
