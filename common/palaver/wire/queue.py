"""Requests about a chat's queue, its settings and its retries, and their responses."""

from __future__ import annotations

from datetime import datetime

import msgspec

from palaver.wire.bounds import FileIds, Whole
from palaver.wire.chats import Chat, ChosenWorkspace, Mode
from palaver.wire.messages import QueuedMessage


class EditQueued(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """New content for a queued message; its position is kept, and without `files` its files."""

    content: str
    model: str | None = None
    files: FileIds | None = None


class Promote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Make a queued message the next one. If the turn is over it only moves to the head."""

    turn_version: Whole


class QueueOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new order: an exact permutation of the ids in the queue."""

    ids: list[Whole]


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Retry a failed turn, now or at a given time."""

    turn_version: Whole
    at: datetime | None = None


class SkipBackoff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Start a waiting retry now."""

    turn_version: Whole
    retry_version: Whole


class ChangeChat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Changes to a chat; omitted fields are kept.

    `labels` are set, and removed if the value is null; others are kept. `pin_order` is the chat's
    new place among the pinned ones (from 0; beyond the last one is the end), null unpins it.
    `mode` holds from the next step of a running turn on.
    """

    title: str | None = None
    model: str | None = None
    archived: bool | None = None
    workspace: ChosenWorkspace | None = None
    labels: dict[str, str | None] = {}
    pin_order: Whole | msgspec.UnsetType | None = msgspec.UNSET
    mode: Mode | None = None


class ReadChat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Report a chat as read up to a snapshot version that the client has shown.

    Without one up to everything that has arrived. It never counts as read less than before.
    """

    snapshot_version: Whole | None = None


class QueueAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The queue after the request; `removed` is the message that was taken out."""

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
