"""The journal of attempts, and the saved partial answer of the current one.

These writes are part of transitions or beside them; none changes a version.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from palaver.wire.messages import Part, Usage
from palaverd.chatstate.execution import Fence
from palaverd.failures.fallback import Tried
from palaverd.store import codec
from palaverd.store.locked import LockedChat
from palaverd.store.tables import attempts, chats, partials

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
# All chats in one parameter: SQLite does the work without the interpreter's lock, which a loop over
# them would take from the event loop for each.
_GIVEN = func.json_each(bindparam("given")).table_valued("value")
_ID, _RUNNER, _HISTORY, _STATUS, _EPISODE, _PARTS, _MODEL = (
    func.json_extract(_GIVEN.c.value, f"$[{place}]") for place in range(7)
)
_SAVED = upsert(partials).from_select(
    ["chat_id", "history_version", "attempt", "parts", "model", "saved_at"],
    select(
        chats.c.id,
        chats.c.history_version,
        chats.c.generation_attempt,
        _PARTS,
        _MODEL,
        bindparam("now", type_=BigInteger),
    )
    .select_from(_GIVEN)
    .join(chats, chats.c.id == _ID)
    .where(
        chats.c.runner_id == _RUNNER,
        chats.c.history_version == _HISTORY,
        chats.c.status == _STATUS,
        chats.c.history_version.concat(".").concat(chats.c.generation_attempt) == _EPISODE,
    ),
)
_SAVE = _SAVED.on_conflict_do_update(
    index_elements=[partials.c.chat_id],
    set_={each.name: each for each in _SAVED.excluded if each.name != "chat_id"},
)
_CLEAR = delete(partials).where(partials.c.chat_id == bindparam("of_chat"))


class Shown(msgspec.Struct, frozen=True):
    """What clients were shown of an episode, and the fence of the task that runs it."""

    chat_id: str
    fence: Fence
    episode: str
    parts: list[Part]
    model: str | None


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


def save_partials(connection: Connection, shown: Sequence[Shown], now: int) -> None:
    """Save what clients were shown so far, of several chats. Changes no version.

    Chats whose row no longer matches the fence, or is of another episode, are left out.
    """
    given = [
        (
            one.chat_id,
            one.fence.runner_id,
            one.fence.history_version,
            one.fence.status,
            one.episode,
            codec.dumps(one.parts),
            one.model,
        )
        for one in shown
    ]
    connection.execute(_SAVE, {"given": codec.dumps(given), "now": now})


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
