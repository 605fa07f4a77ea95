"""Chats as lists and heads show them, and what can be asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from palaver.wire.bounds import Whole
from palaver.wire.errors import ChatError
from palaver.wire.messages import Message, QueuedMessage
from palaver.wire.setup import Setup

# The five stored words, and two that are computed: `pending` is a running chat that no worker
# holds, `paused` a waiting one with a held queue.
ChatStatus = Literal[
    "waiting", "running", "interrupting", "requires_action", "error", "pending", "paused"
]
BUSY: frozenset[ChatStatus] = frozenset({"running", "interrupting", "requires_action", "pending"})
QueueState = Literal["empty", "free", "held"]
PendingReason = Literal["capacity", "no_worker", "wrong_host", "starting"]
WhenBusy = Literal["queue", "interrupt"]
TITLE_LIMIT = 200  # characters; a title is a line


class Versions(msgspec.Struct, frozen=True):
    """The counters of a chat. A request about "now" names the one it saw."""

    snapshot: int
    history: int
    turn: int
    queue: int
    retry: int


class RetryInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A wait before the next attempt: `attempt` failed, `delay_ms` is what is really waited."""

    attempt: int
    max_attempts: int
    delay_ms: int
    retrying_at: datetime
    error: ChatError


class Workspace(msgspec.Struct, frozen=True, omit_defaults=True):
    """A directory with the files of a chat, by its absolute path.

    `host` is the machine that has it, the daemon's own where a request does not say. Only a
    daemon on that machine runs the chat.
    """

    path: str
    host: str | None = None


class Chat(msgspec.Struct, frozen=True):
    """One chat, without its messages. `updated_at` is its last activity."""

    id: str
    title: str
    status: ChatStatus
    created_at: datetime
    updated_at: datetime
    versions: Versions
    pending: PendingReason | None = None
    pending_since: datetime | None = None
    queue: QueueState = "empty"
    queue_length: int = 0
    model: str | None = None
    parent_id: str | None = None
    archived: bool = False
    labels: dict[str, str] = {}
    pin_order: int | None = None
    unread: bool = False
    last_error: ChatError | None = None
    retry: RetryInfo | None = None
    resume_at: datetime | None = None
    cost_micros: int | None = None
    workspace: Workspace | None = None
    context_tokens: int | None = None
    context_limit: int | None = None


class ChatPage(msgspec.Struct, frozen=True):
    """A page of chats, newest activity first; `next_cursor` asks for the next one."""

    chats: list[Chat]
    next_cursor: str | None = None


# --- requests: strict -----------------------------------------------------------------------


class ChosenWorkspace(Workspace, frozen=True, forbid_unknown_fields=True):
    """A workspace as a request names it."""


class CreateChat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A new chat with its first message."""

    content: str
    title: str | None = None
    model: str | None = None
    system_prompt: str | None = None
    labels: dict[str, str] = {}
    workspace: ChosenWorkspace | None = None


class SendMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A message to a chat. `turn_version` belongs to `when_busy: interrupt`.

    `position` is its place (from 0) where it is queued; the end without one. What interrupts is
    answered next at place 0.
    """

    content: str
    when_busy: WhenBusy = "queue"
    model: str | None = None
    turn_version: Whole | None = None
    position: Whole | None = None


class Interrupt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Stop what runs in the turn that the client saw."""

    turn_version: Whole
    hold_queue: bool = False


# --- answers --------------------------------------------------------------------------------


class Sent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a message is now: in history (`message`), in the queue (`queued`), or gone.

    `repeated` says that the idempotency key was known and nothing was changed.
    """

    chat: Chat
    message: Message | None = None
    queued: QueuedMessage | None = None
    repeated: bool = False


class Interrupted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether there was something to stop; `reason` says why not."""

    chat: Chat
    changed: bool
    reason: str | None = None


class Model(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model that can be chosen. `unavailable` says what is missing, None if nothing is."""

    name: str
    provider: str
    model: str
    default: bool = False
    context_limit: int | None = None
    unavailable: ChatError | None = None


class Models(msgspec.Struct, frozen=True, omit_defaults=True):
    """What can be chosen. `setup` is None where the daemon does not say it."""

    models: list[Model]
    setup: Setup | None = None


class Info(msgspec.Struct, frozen=True):
    """Which daemon answers, and who looks after it.

    `private`: a client started it for itself. `supervisor` is the service manager that runs it,
    `unit` what it is called there. `config` is the file that it was told to read, None for the
    usual one. `working` counts the chats that it works on, `clients` the streams that are open.
    `user` is who asks, as the daemon knows them, `host` the name of its machine. `protocol` is
    what it speaks and `oldest_protocol` what a client has to speak at least (see
    `palaver.wire.protocol`); a daemon that tells none speaks the first.
    """

    version: str
    pid: int
    started_at: datetime
    data_dir: str
    capabilities: list[str]
    private: bool = False
    supervisor: str | None = None
    unit: str | None = None
    config: str | None = None
    working: int = 0
    clients: int = 0
    user: str | None = None
    host: str | None = None
    protocol: int = 1
    oldest_protocol: int = 1
