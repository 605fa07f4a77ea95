"""A chat's row as a type, and its conversion to the API's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from palaver.wire.chats import (
    Chat,
    ChatStatus,
    ClientTool,
    Mode,
    PendingReason,
    Versions,
    Workspace,
)
from palaver.wire.messages import Finish, Message, QueuedMessage, Role, Usage, Visibility
from palaverd.chatstate.execution import Execution
from palaverd.chatstate.states import Status
from palaverd.store import codec


class ChatRow(Execution, kw_only=True):
    """One row of `chats`: the execution state and the chat's properties."""

    parent_id: str | None
    root_id: str
    title: str
    title_by_person: bool
    system_prompt: str | None
    model: str | None
    labels: dict[str, str]
    pin_order: int | None
    client_type: str
    workspace_host: str | None
    workspace_path: str | None
    mode: Mode
    client_tools: list[ClientTool]
    archiving: str | None
    spawned_by: int | None
    created_at: int
    updated_at: int
    context_tokens: int | None
    context_limit: int | None


_JSON_COLUMNS = frozenset({"last_error", "retry", "asks", "labels", "client_tools"})
_client_tools = msgspec.json.Decoder(list[ClientTool])
_COLUMN_OF = {"chat_id": "id"}
_FIELDS: tuple[tuple[str, str], ...] = tuple(
    (name, _COLUMN_OF.get(name, name)) for name in ChatRow.__struct_fields__
)


def chat_row(found: Mapping[str, Any]) -> ChatRow:
    """Return a row of `chats` from column values."""
    values = {field: found[column] for field, column in _FIELDS}
    values["last_error"] = codec.load_error(values["last_error"])
    values["retry"] = codec.load_retry(values["retry"])
    values["asks"] = codec.load_asks(values["asks"])
    values["labels"] = msgspec.json.decode(values["labels"], type=dict[str, str])
    values["client_tools"] = _client_tools.decode(values["client_tools"])
    return ChatRow(**values)


def chat_values(row: ChatRow) -> dict[str, Any]:
    """Return a whole row as column values."""
    return {column: _column_value(field, getattr(row, field)) for field, column in _FIELDS}


def changed_values(before: ChatRow, after: ChatRow) -> dict[str, Any]:
    """Return the changed column values."""
    changes = {}
    for field, column in _FIELDS:
        value = getattr(after, field)
        if value != getattr(before, field):
            changes[column] = _column_value(field, value)
    return changes


def _column_value(field: str, value: Any) -> Any:
    return codec.dumps_optional(value) if field in _JSON_COLUMNS else value


def status_of(row: ChatRow) -> tuple[ChatStatus, PendingReason | None]:
    """Return the API's status of a chat, and why it is pending."""
    if row.pending:
        return "pending", row.pending_reason or "starting"
    if row.status == Status.WAITING and row.queue_held:
        return "paused", None
    status: ChatStatus = Status(row.status).value
    return status, None


def versions_of(row: Execution) -> Versions:
    """Return the counters as an API type."""
    return Versions(
        snapshot=row.snapshot_version,
        history=row.history_version,
        turn=row.turn_version,
        queue=row.queue_version,
        retry=row.retry_version,
    )


def wire_chat(row: ChatRow) -> Chat:
    """Return the chat as an API type."""
    status, pending = status_of(row)
    return Chat(
        id=row.chat_id,
        title=row.title,
        status=status,
        pending=pending,
        pending_since=codec.from_ms_optional(row.pending_since),
        created_at=codec.from_ms(row.created_at),
        updated_at=codec.from_ms(row.updated_at),
        versions=versions_of(row),
        queue=row.queue.value,
        queue_length=row.queue_length,
        model=row.model,
        parent_id=row.parent_id,
        archived=row.archived,
        labels=row.labels,
        pin_order=row.pin_order,
        unread=row.unread,
        last_error=row.last_error,
        retry=row.retry,
        asks=row.asks,
        resume_at=codec.from_ms_optional(row.resume_at),
        workspace=workspace_of(row),
        mode=row.mode,
        context_tokens=row.context_tokens,
        context_limit=row.context_limit,
    )


def workspace_of(row: ChatRow) -> Workspace | None:
    """Return a chat's workspace, None without one."""
    if row.workspace_path is None:
        return None
    return Workspace(path=row.workspace_path, host=row.workspace_host)


def wire_message(found: Mapping[str, Any]) -> Message:
    """Return a row of `messages` as an API type, without its private column."""
    role: Role = found["role"]
    visibility: Visibility = found["visibility"]
    finish: Finish | None = found["finish"]
    return Message(
        id=found["id"],
        role=role,
        parts=codec.load_parts(found["parts"]),
        revision=found["revision"],
        created_at=codec.from_ms(found["created_at"]),
        visibility=visibility,
        model=found["model"],
        finish=finish,
        usage=codec.loads(found["usage"], Usage),
        cost_micros=found["cost_micros"],
        runtime_ms=found["runtime_ms"],
        key=found["key"],
        queued_id=found["queued_id"],
    )


def wire_queued(found: Mapping[str, Any], position: int) -> QueuedMessage:
    """Return a row of `queued_messages` as an API type; `position` counts from 0."""
    return QueuedMessage(
        id=found["id"],
        position=position,
        content=found["content"],
        created_at=codec.from_ms(found["created_at"]),
        model=found["model"],
        key=found["key"],
        steer_turn=found["steer_turn"],
        files=codec.load_files(found["files"]),
    )
