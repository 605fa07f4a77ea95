"""Chats, the requests to them, models, and the daemon's info."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from palaver.wire.bounds import FileIds, Whole
from palaver.wire.errors import ChatError
from palaver.wire.messages import Message, QueuedMessage
from palaver.wire.questions import Asks
from palaver.wire.setup import Setup

# The five stored statuses, and two derived ones: `pending` is a running chat without a worker,
# `paused` a waiting one with a held queue.
ChatStatus = Literal[
    "waiting", "running", "interrupting", "requires_action", "error", "pending", "paused"
]
BUSY: frozenset[ChatStatus] = frozenset({"running", "interrupting", "requires_action", "pending"})
QueueState = Literal["empty", "free", "held"]
PendingReason = Literal["capacity", "no_worker", "wrong_host", "starting"]
WhenBusy = Literal["queue", "interrupt", "steer"]
# What a chat's tools may do: change nothing, or everything that they can.
Mode = Literal["read-only", "full-auto"]
TITLE_LIMIT = 200  # characters; a title is one line
QUEUE_LIMIT = 20  # messages in a queue; more than a user keeps track of
PIN_LIMIT = 50  # pinned chats of an owner; more would be a list of their own
LABEL_LIMIT = 32  # labels of a chat
LABEL_NAME_LIMIT = 64  # characters
LABEL_VALUE_LIMIT = 200  # characters


class Versions(msgspec.Struct, frozen=True):
    """The counters of a chat. Requests about the current state name the ones their client saw."""

    snapshot: int
    history: int
    turn: int
    queue: int
    retry: int


class RetryInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A wait before the next attempt: `attempt` failed, `delay_ms` is the actual wait."""

    attempt: int
    max_attempts: int
    delay_ms: int
    retrying_at: datetime
    error: ChatError


class Workspace(msgspec.Struct, frozen=True, omit_defaults=True):
    """A directory with the files of a chat, by its absolute path.

    `host` is its machine, by default the daemon's. Only a daemon on that machine runs the chat.
    """

    path: str
    host: str | None = None


class Chat(msgspec.Struct, frozen=True):
    """One chat, without its messages. `updated_at` is its last activity.

    `labels` are its labels with their values, which may be empty. `pin_order` orders pinned chats,
    smallest first; None if it is not pinned. `unread`: an answer, an error or a question has
    arrived that no client has reported as read. `asks` is what a chat in `requires_action` waits
    for.
    """

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
    asks: Asks | None = None
    resume_at: datetime | None = None
    cost_micros: int | None = None
    workspace: Workspace | None = None
    mode: Mode = "read-only"
    context_tokens: int | None = None
    context_limit: int | None = None


class ChatPage(msgspec.Struct, frozen=True):
    """A page of chats: pinned ones in their order, then the others, newest activity first.

    `next_cursor` requests the next page.
    """

    chats: list[Chat]
    next_cursor: str | None = None


# --- requests: strict -----------------------------------------------------------------------


class ChosenWorkspace(Workspace, frozen=True, forbid_unknown_fields=True):
    """A workspace in a request."""


class ClientTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A tool that the client runs: the model calls it, and the client sends its result.

    `parameters` is the JSON Schema of its arguments. An `exclusive` one must be called alone.
    """

    name: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    description: str
    parameters: dict[str, Any]
    exclusive: bool = False


class CreateChat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Create a chat with its first message. `files` are the ids of files that belong to it."""

    content: str
    title: str | None = None
    model: str | None = None
    system_prompt: str | None = None
    labels: dict[str, str] = {}
    workspace: ChosenWorkspace | None = None
    mode: Mode = "read-only"
    client_tools: list[ClientTool] = []
    files: FileIds = []


class SendMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Send a message to a chat. `turn_version` belongs to `interrupt` and `steer`.

    `position` is its place in the queue (from 0), if it is queued; by default the end. A message
    that interrupts is answered next if it is at position 0. One that steers has neither position
    nor model: the model of the turn gets it after the results of the current step, without an
    interruption. If the turn ends before, it is the next one. `files` are the ids of
    files that belong to it.
    """

    content: str
    when_busy: WhenBusy = "queue"
    model: str | None = None
    turn_version: Whole | None = None
    position: Whole | None = None
    files: FileIds = []


class Interrupt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Interrupt the turn that the client saw."""

    turn_version: Whole
    hold_queue: bool = False


# --- responses ------------------------------------------------------------------------------


class Sent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a sent message is now: in history (`message`), in the queue (`queued`), or gone.

    `repeated` says that the idempotency key was known and nothing was changed.
    """

    chat: Chat
    message: Message | None = None
    queued: QueuedMessage | None = None
    repeated: bool = False


class Interrupted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether there was something to interrupt; `reason` says why not."""

    chat: Chat
    changed: bool
    reason: str | None = None


class Model(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model to choose. `unavailable` says why it cannot be used, None if it can."""

    name: str
    provider: str
    model: str
    default: bool = False
    context_limit: int | None = None
    unavailable: ChatError | None = None


class Models(msgspec.Struct, frozen=True, omit_defaults=True):
    """The models to choose from. `setup` is None if the daemon does not reveal it."""

    models: list[Model]
    setup: Setup | None = None


class Info(msgspec.Struct, frozen=True):
    """A daemon: its version, process and owner.

    `private`: a client started it for itself. `supervisor` is the service manager that runs it,
    `unit` its name there. `config` is the configuration file it was given, None for the default
    one. `working` is the number of running chats, `clients` that of open streams. `user` is the
    user of the request, `host` the name of the daemon's machine. `protocol` is the version that
    the daemon speaks and `oldest_protocol` the oldest one that it serves (see
    `palaver.wire.protocol`); without them it speaks version 1.
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
