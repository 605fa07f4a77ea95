"""Tool calls that wait for a client's answer: what is needed, by when, and who answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection, insert, select, update

from palaver.wire.actions import CallAnswer
from palaverd.store import codec
from palaverd.store.locked import LockedChat
from palaverd.store.tables import tool_runs

# What a client must provide: permission to run the tool, or the result itself.
Needs = Literal["approval", "result"]
CANCELLED = "cancelled"


class WantedCall(msgspec.Struct, frozen=True):
    """A call that only a client can answer; `deadline` in milliseconds since the epoch."""

    call_id: str
    needs: Needs
    deadline: int | None = None


class StoredCall(msgspec.Struct, frozen=True):
    """A call that needed a client, and its answer, if any."""

    call_id: str
    needs: str
    deadline: int | None
    answer: CallAnswer | None
    answered_by: str | None


def want(chat: LockedChat, calls: Sequence[WantedCall]) -> None:
    """Store the calls that need a client."""
    chat.connection.execute(
        insert(tool_runs),
        [
            {
                "chat_id": chat.row.chat_id,
                "call_id": call.call_id,
                "needs": call.needs,
                "deadline": call.deadline,
                "requested_at": chat.now,
            }
            for call in calls
        ],
    )


def stored_calls(connection: Connection, chat_id: str) -> dict[str, StoredCall]:
    """Return every call of the chat that ever needed a client, by its id."""
    found = connection.execute(select(tool_runs).where(tool_runs.c.chat_id == chat_id))
    return {
        one.call_id: StoredCall(
            call_id=one.call_id,
            needs=one.needs,
            deadline=one.deadline,
            answer=codec.loads(one.answer, CallAnswer),
            answered_by=one.answered_by,
        )
        for one in found
    }


def answer_call(chat: LockedChat, answer: CallAnswer, answered_by: str) -> None:
    """Store the answer to a call, and who gave it."""
    chat.connection.execute(
        update(tool_runs)
        .where(tool_runs.c.chat_id == chat.row.chat_id, tool_runs.c.call_id == answer.call_id)
        .values(answer=codec.dumps(answer), answered_by=answered_by, answered_at=chat.now)
    )


def cancel_unanswered(chat: LockedChat) -> None:
    """Cancel all unanswered calls."""
    chat.connection.execute(
        update(tool_runs)
        .where(tool_runs.c.chat_id == chat.row.chat_id, tool_runs.c.answered_by.is_(None))
        .values(answered_by=CANCELLED, answered_at=chat.now)
    )
