"""The journal of attempts, and the saved partial answer of the current one.

These writes are part of transitions or beside them; none changes a version.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from palaver.wire.messages import Part, Usage
from palaverd.failures.fallback import Tried
from palaverd.store import codec
from palaverd.store.locked import LockedChat
from palaverd.store.tables import attempts, partials

# Parameters of conditions begin with `of_`: a column's own name is a value to write.
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
    """Write the start of the attempt that the row counts.

    An attempt that is still open was lost with its worker: its usage is unknown.
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
    """Write how the current attempt ended: a finish, or a kind of failure."""
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
    """Return the attempts on this history, in order, with model and outcome."""
    found = connection.execute(
        select(attempts.c.model, attempts.c.outcome, attempts.c.started_at)
        .where(attempts.c.chat_id == chat_id, attempts.c.history_version == history_version)
        .order_by(attempts.c.attempt)
    )
    return [Tried(one.model, one.outcome, one.started_at) for one in found]


def save_partial(chat: LockedChat, parts: list[Part], model: str | None, episode: str) -> None:
    """Save what clients were shown of `episode` so far. Changes no version.

    Ignored if that is no longer the row's episode.
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
    """Delete the saved partial answer."""
    chat.connection.execute(_CLEAR, {"of_chat": chat.row.chat_id})


def load_partial(connection: Connection, chat_id: str) -> Partial | None:
    """Return the saved partial answer, of whichever attempt; None without one."""
    found = connection.execute(select(partials).where(partials.c.chat_id == chat_id)).first()
    if found is None:
        return None
    return Partial(
        history_version=found.history_version,
        attempt=found.attempt,
        parts=codec.load_parts(found.parts),
        model=found.model,
    )
