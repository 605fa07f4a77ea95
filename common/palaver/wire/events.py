"""The events of `WS /chats/{id}/stream` and `WS /watch`. A frame is a JSON array of events.

An *episode* is the live output of one attempt, `<history version>.<attempt>`. Live output is
addressed by block number and by offset in the block, in Unicode code points.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from palaver.wire.chats import Chat, ChatStatus, PendingReason, RetryInfo, Versions
from palaver.wire.errors import ChatError
from palaver.wire.messages import Message, QueuedMessage, Usage
from palaver.wire.questions import OpenCall


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """The connection is alive.

    On both sockets: the first event, and one after each five seconds without another frame. It is
    not part of `StreamEvent` and `WatchEvent`, since it is about the connection.
    """


BlockKind = Literal[
    "text", "reasoning", "tool_call", "tool_output", "tool_result", "source", "compaction"
]


class StatusEvent(msgspec.Struct, frozen=True, tag="status", omit_defaults=True):
    """The head of the chat: its status, why it is pending, and its versions."""

    status: ChatStatus
    versions: Versions
    title: str
    model: str | None = None
    pending: PendingReason | None = None
    pending_since: datetime | None = None
    detail: str | None = None


class MessageEvent(msgspec.Struct, frozen=True, tag="message", omit_defaults=True):
    """One committed message, and the episode that it replaces."""

    message: Message
    replaces: str | None = None


class MessagePartEvent(msgspec.Struct, frozen=True, tag="message_part", omit_defaults=True):
    """Live output. `name` and `call_id` are sent with each delta of a tool's block."""

    episode: str
    block: int
    offset: int
    kind: BlockKind
    delta: str
    name: str | None = None
    call_id: str | None = None


class PreviewReset(msgspec.Struct, frozen=True, tag="preview_reset", omit_defaults=True):
    """Drop the live output shown so far; `episode` replaces it, if set."""

    episode: str | None = None


class Incomplete(msgspec.Struct, frozen=True, tag="incomplete"):
    """The daemon no longer has what the client asked for: drop what was shown of this episode.

    What there is of it follows from its beginning, if anything. The committed message is whole.
    """

    episode: str


class HistoryTruncated(msgspec.Struct, frozen=True, tag="history_truncated"):
    """Messages from this id on were dropped."""

    from_id: int


class HistoryReset(msgspec.Struct, frozen=True, tag="history_reset"):
    """Drop all messages: they are sent again."""


class QueueUpdate(msgspec.Struct, frozen=True, tag="queue_update"):
    """The whole queue."""

    queue: list[QueuedMessage]
    held: bool


class RetryEvent(msgspec.Struct, frozen=True, tag="retry"):
    """A wait before the next attempt began; None: it is over."""

    retry: RetryInfo | None


class ErrorEvent(msgspec.Struct, frozen=True, tag="error", omit_defaults=True):
    """The stored error of the chat; None: it was cleared."""

    error: ChatError | None
    resume_at: datetime | None = None


class ActionRequired(msgspec.Struct, frozen=True, tag="action_required", omit_defaults=True):
    """Calls that only a client can answer, and when the first of them is given up.

    Empty if there are none left. `calls` are the same ones, with what is asked; older daemons send
    their ids alone.
    """

    call_ids: list[str]
    deadline: datetime | None = None
    calls: list[OpenCall] = []


class UsageEvent(msgspec.Struct, frozen=True, tag="usage", omit_defaults=True):
    """The last call's tokens, the context used and its limit (tokens), the chat's cost so far."""

    usage: Usage | None = None
    context_tokens: int | None = None
    context_limit: int | None = None
    cost_micros: int | None = None


class CaughtUp(msgspec.Struct, frozen=True, tag="caught_up"):
    """Everything up to this snapshot was sent, and the live output up to now."""

    snapshot_version: int


StreamEvent = (
    StatusEvent
    | MessageEvent
    | MessagePartEvent
    | PreviewReset
    | Incomplete
    | HistoryTruncated
    | HistoryReset
    | QueueUpdate
    | RetryEvent
    | ErrorEvent
    | ActionRequired
    | UsageEvent
    | CaughtUp
)


# --- the chat list --------------------------------------------------------------------------


class ListSnapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """The newest chats; `next_cursor` requests older ones by page."""

    chats: list[Chat]
    next_cursor: str | None = None


class ChatCreated(msgspec.Struct, frozen=True, tag="created"):
    """A new chat."""

    chat: Chat


class ChatUpdated(msgspec.Struct, frozen=True, tag="updated"):
    """A changed chat, whole, and the names of the fields that changed."""

    chat: Chat
    fields: list[str]


class ChatDeleted(msgspec.Struct, frozen=True, tag="deleted"):
    """A deleted chat."""

    chat_id: str


class ConfigChanged(msgspec.Struct, frozen=True, tag="config"):
    """The daemon reloaded its configuration, or failed to: request the models again."""


class ListError(msgspec.Struct, frozen=True, tag="error"):
    """The list cannot be read at the moment; None: it is read again. What is shown stays valid."""

    error: ChatError | None


WatchEvent = ListSnapshot | ChatCreated | ChatUpdated | ChatDeleted | ConfigChanged | ListError
