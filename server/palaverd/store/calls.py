"""The journal of tool calls: what was asked of clients, what began, and what came of it.

One journal for all tools. A call that only reads is in it if the step waits for a client: its
result must survive until then. A call with effects is in it before it begins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from palaver.wire.actions import CallAnswer
from palaver.wire.messages import ToolResult
from palaver.wire.questions import Needs
from palaverd.store import codec
from palaverd.store.locked import LockedChat
from palaverd.store.tables import tool_runs

CANCELLED = "cancelled"


class RunState(StrEnum):
    """How far a call came."""

    RESERVED = "reserved"  # it waits for a client, or for its turn
    STARTED = "started"  # it may have had effects
    FINISHED = "finished"
    UNKNOWN = "unknown"  # it started, and nobody can find out what came of it
    CANCELLED = "cancelled"  # it never started


class Identity(msgspec.Struct, frozen=True):
    """Which call it is. `digest` is the SHA-256 of its tool and arguments, in hexadecimal."""

    call_id: str
    message_id: int
    tool: str
    digest: str


class WantedCall(msgspec.Struct, frozen=True):
    """A call that only a client can answer; `deadline` in milliseconds since the epoch."""

    call_id: str
    needs: Needs
    deadline: int | None = None
    identity: Identity | None = None


class StoredCall(msgspec.Struct, frozen=True):
    """An entry of the journal. `result` is None once it is in a message."""

    call_id: str
    state: RunState
    tool: str | None = None
    digest: str | None = None
    needs: Needs | None = None
    deadline: int | None = None
    answer: CallAnswer | None = None
    answered_by: str | None = None
    trace: str | None = None
    result: ToolResult | None = None

    @property
    def waits(self) -> bool:
        """Whether a client has to answer it."""
        return self.needs is not None and self.answered_by is None


_OF_CHAT = tool_runs.c.chat_id == bindparam("of_chat")
_CALL = select(tool_runs).where(_OF_CHAT, tool_runs.c.call_id == bindparam("of_call"))
_WAITING = select(tool_runs).where(
    _OF_CHAT, tool_runs.c.needs.is_not(None), tool_runs.c.answered_by.is_(None)
)
_WRITE = update(tool_runs).where(_OF_CHAT, tool_runs.c.call_id == bindparam("of_call"))
_NEW = insert(tool_runs)


# --- reading ----------------------------------------------------------------------------------


def stored_calls(
    connection: Connection, chat_id: str, call_ids: Iterable[str]
) -> dict[str, StoredCall]:
    """Return those of the calls that are in the journal, by their id."""
    of_chat = {"of_chat": chat_id}
    found = (connection.execute(_CALL, {**of_chat, "of_call": one}).first() for one in call_ids)
    return {one.call_id: _stored(one) for one in found if one is not None}


def waiting_calls(connection: Connection, chat_id: str) -> list[StoredCall]:
    """Return the calls of a chat that wait for a client."""
    return [_stored(one) for one in connection.execute(_WAITING, {"of_chat": chat_id})]


def _stored(one: Row[Any]) -> StoredCall:
    return StoredCall(
        call_id=one.call_id,
        state=RunState(one.state),
        tool=one.tool,
        digest=one.digest,
        needs=one.needs,
        deadline=one.deadline,
        answer=codec.loads(one.answer, CallAnswer),
        answered_by=one.answered_by,
        trace=one.trace,
        result=codec.loads(one.result, ToolResult),
    )


# --- calls that clients answer ----------------------------------------------------------------


def want(chat: LockedChat, calls: Sequence[WantedCall]) -> None:
    """Reserve calls that need a client."""
    chat.connection.execute(
        _NEW,
        [
            {
                "chat_id": chat.row.chat_id,
                "call_id": call.call_id,
                **_identity(call.identity),
                "state": RunState.RESERVED,
                "needs": call.needs,
                "deadline": call.deadline,
                "requested_at": chat.now,
            }
            for call in calls
        ],
    )


def answer_call(chat: LockedChat, answer: CallAnswer, answered_by: str) -> None:
    """Store the answer to a call, and who gave it. Unless it permits the call, that is its end."""
    values: dict[str, Any] = {
        "answer": codec.dumps(answer),
        "answered_by": answered_by,
        "answered_at": chat.now,
    }
    if (result := _result_of(answer)) is not None:
        values |= _finished(chat, result)
    _write(chat, answer.call_id, values)


def _result_of(answer: CallAnswer) -> ToolResult | None:
    """Return the result that an answer contains; None for a permission to run the call."""
    if answer.approved:
        return None
    refused = answer.approved is False
    text = answer.text
    if text is None or (refused and not text):
        text = "The user did not allow this call."
    return ToolResult(call_id=answer.call_id, text=text, is_error=answer.is_error or refused)


# --- calls with effects -----------------------------------------------------------------------


def start(chat: LockedChat, call: Identity, trace: str | None) -> None:
    """Record that a call begins. After the commit it may have effects."""
    values: dict[str, Any] = {
        "state": RunState.STARTED,
        "trace": trace,
        "started_at": chat.now,
    }
    if not _write(chat, call.call_id, values):
        _insert(chat, call, values)


def finish(chat: LockedChat, call: Identity, result: ToolResult) -> None:
    """Record the result of a call, until it is committed with those of its step."""
    values = _finished(chat, result)
    if not _write(chat, call.call_id, values):
        _insert(chat, call, values)


def committed(chat: LockedChat, call_ids: Iterable[str], *, lost: Collection[str] = ()) -> None:
    """Record that results of calls are in a message; those of `lost` ones say that nobody knows."""
    for call_id in call_ids:
        state = RunState.UNKNOWN if call_id in lost else RunState.FINISHED
        _write(
            chat, call_id, {"state": state, "result": None, "trace": None, "finished_at": chat.now}
        )


def give_up(chat: LockedChat, calls: Iterable[StoredCall]) -> None:
    """End calls that have no result: what never started is cancelled, what did is unknown."""
    for call in calls:
        started = call.state is RunState.STARTED
        values: dict[str, Any] = {
            "state": RunState.UNKNOWN if started else RunState.CANCELLED,
            "trace": None,
            "finished_at": chat.now,
        }
        if call.waits:
            values |= {"answered_by": CANCELLED, "answered_at": chat.now}
        _write(chat, call.call_id, values)


def _finished(chat: LockedChat, result: ToolResult) -> dict[str, Any]:
    return {
        "state": RunState.FINISHED,
        "finished_at": chat.now,
        "result": codec.dumps(result),
        "trace": None,
    }


def _insert(chat: LockedChat, call: Identity, values: Mapping[str, Any]) -> None:
    new = {"chat_id": chat.row.chat_id, "call_id": call.call_id, "requested_at": chat.now}
    chat.connection.execute(_NEW, {**new, **_identity(call), **values})


def _identity(call: Identity | None) -> dict[str, Any]:
    if call is None:
        return {"message_id": None, "tool": None, "digest": None}
    return {"message_id": call.message_id, "tool": call.tool, "digest": call.digest}


def _write(chat: LockedChat, call_id: str, values: Mapping[str, Any]) -> bool:
    """Write to a call's entry; return whether there is one."""
    of_call = {"of_chat": chat.row.chat_id, "of_call": call_id}
    return chat.connection.execute(_WRITE, {**of_call, **values}).rowcount > 0
