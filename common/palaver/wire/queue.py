"""What can be asked of a chat's queue, and of a chat that failed or waits to try again."""

from __future__ import annotations

from datetime import datetime

import msgspec

from palaver.wire.bounds import Whole
from palaver.wire.chats import Chat, ChosenWorkspace
from palaver.wire.messages import QueuedMessage


class EditQueued(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """New content for a queued message; its place is kept."""

    content: str
    model: str | None = None


class Promote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Make a queued message the next. For a turn that is over it only moves to the head."""

    turn_version: Whole


class QueueOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new order: an exact permutation of the ids in the queue as it is."""

    ids: list[Whole]


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Try a failed turn again, now or at a time."""

    turn_version: Whole
    at: datetime | None = None


class SkipBackoff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Run a waiting retry now."""

    turn_version: Whole
    retry_version: Whole


class ChangeChat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person changes about a chat; what is left out stays."""

    title: str | None = None
    model: str | None = None
    archived: bool | None = None
    workspace: ChosenWorkspace | None = None


class QueueAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The queue as it is now; `removed` carries what was taken out of it."""

    chat: Chat
    queue: list[QueuedMessage]
    removed: QueuedMessage | None = None
    repeated: bool = False


class Acted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether there was something to do; `reason` says why not."""

    chat: Chat
    changed: bool
    reason: str | None = None
    repeated: bool = False
