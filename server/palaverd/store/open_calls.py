"""The calls that wait for a client, with what is asked."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from palaver.wire.messages import ToolCall
from palaver.wire.questions import OpenCall, in_short, open_call
from palaverd.chatstate.states import Status
from palaverd.store import codec
from palaverd.store.locked import LockedChat
from palaverd.store.tables import messages, tool_runs

# Calls of one message share its parts, which may be long: they are read once.
_WAITING = (
    select(
        tool_runs.c.call_id,
        tool_runs.c.message_id,
        tool_runs.c.tool,
        tool_runs.c.needs,
        tool_runs.c.deadline,
    )
    .where(
        tool_runs.c.chat_id == bindparam("of_chat"),
        tool_runs.c.needs.is_not(None),
        tool_runs.c.answered_by.is_(None),
    )
    .order_by(tool_runs.c.message_id)
)
_PARTS = select(messages.c.parts).where(messages.c.id == bindparam("of_message"))


def load_open_calls(connection: Connection, chat_id: str) -> list[OpenCall]:
    """Return the calls of a chat that wait for a client, in call order."""
    made: dict[int, dict[str, ToolCall]] = {}
    found: list[tuple[int, int, OpenCall]] = []
    for row in connection.execute(_WAITING, {"of_chat": chat_id}).all():
        if row.message_id not in made:
            made[row.message_id] = _calls_of(connection, row.message_id)
        calls = made[row.message_id]
        call = calls.get(row.call_id) or ToolCall(row.call_id, row.tool or "", "{}")
        place = list(calls).index(row.call_id) if row.call_id in calls else 0
        deadline = codec.from_ms_optional(row.deadline)
        asked = open_call(call.id, call.name, call.arguments, row.needs, deadline)
        found.append((row.message_id or 0, place, asked))
    return [call for _, _, call in sorted(found, key=lambda one: one[:2])]


def note_asked(chat: LockedChat) -> None:
    """Update the chat's summary of what it waits for, which the list of chats shows."""
    waits = chat.row.status == Status.REQUIRES_ACTION
    chat.row.asks = in_short(load_open_calls(chat.connection, chat.row.chat_id)) if waits else None


def _calls_of(connection: Connection, message_id: int | None) -> dict[str, ToolCall]:
    """Return the calls in a message by their ids, in order."""
    if message_id is None:
        return {}
    parts = connection.execute(_PARTS, {"of_message": message_id}).scalar()
    calls = [] if parts is None else codec.load_parts(parts)
    return {part.id: part for part in calls if isinstance(part, ToolCall)}
