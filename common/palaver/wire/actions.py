"""Requests about a chat's history and its open tool calls, and their responses."""

from __future__ import annotations

import msgspec

from palaver.wire.bounds import FileIds, Whole
from palaver.wire.chats import Chat
from palaver.wire.messages import Message, QueuedMessage


class CallAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An answer to one call: the permission to run it (`approved`), or its result (`text`)."""

    call_id: str
    approved: bool | None = None
    text: str | None = None
    is_error: bool = False


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers to calls of the turn that the client saw."""

    turn_version: Whole
    answers: list[CallAnswer]


class EditMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Replace a message; it and all after it are dropped. Names the history that the client saw.

    `files` are the ids of its files; without them it keeps those that it had.
    """

    content: str
    history_version: Whole
    model: str | None = None
    files: FileIds | None = None


class Fork(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Create a chat with the history up to and including a message."""

    message_id: Whole
    title: str | None = None


class ClearContext(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hide the history from the model. Names the history that the client saw."""

    history_version: Whole


class Edited(msgspec.Struct, frozen=True, omit_defaults=True):
    """The new message, and what was dropped."""

    chat: Chat
    message: Message | None
    dropped: list[Message] = []
    dropped_queue: list[QueuedMessage] = []
    repeated: bool = False


class LostAnswer(msgspec.Struct, frozen=True):
    """A call that another client had answered before; nothing was changed."""

    call_id: str
    answered_by: str


class Answered(msgspec.Struct, frozen=True, omit_defaults=True):
    """The calls that are still open, and the answers that came too late."""

    chat: Chat
    open_calls: list[str]
    lost: list[LostAnswer] = []
    repeated: bool = False
