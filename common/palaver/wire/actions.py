"""What can be asked of a chat's history, of the calls that wait for a client, and the answers."""

from __future__ import annotations

import msgspec

from palaver.wire.bounds import Whole
from palaver.wire.chats import Chat
from palaver.wire.messages import Message, QueuedMessage


class CallAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An answer to one call: leave to run it (`approved`), or its result (`text`)."""

    call_id: str
    approved: bool | None = None
    text: str | None = None
    is_error: bool = False


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers to calls of the turn that the client saw."""

    turn_version: Whole
    answers: list[CallAnswer]


class EditMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Say a message anew; it and all after it are replaced. Names the history it saw."""

    content: str
    history_version: Whole
    model: str | None = None


class Fork(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A new chat with the history up to and with a message."""

    message_id: Whole
    title: str | None = None


class ClearContext(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hide what was said so far from the model. Names the history it saw."""

    history_version: Whole


class Edited(msgspec.Struct, frozen=True, omit_defaults=True):
    """The message as it stands now, and what was dropped for it."""

    chat: Chat
    message: Message | None
    dropped: list[Message] = []
    dropped_queue: list[QueuedMessage] = []
    repeated: bool = False


class LostAnswer(msgspec.Struct, frozen=True):
    """A call that somebody else had answered before: nothing was changed for it."""

    call_id: str
    answered_by: str


class Answered(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which calls are still open, and which answers came too late."""

    chat: Chat
    open_calls: list[str]
    lost: list[LostAnswer] = []
    repeated: bool = False
