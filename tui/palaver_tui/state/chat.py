"""Everything that is known about one chat, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from palaver.stream.progress import Progress
from palaver.wire.chats import ChatStatus, PendingReason, RetryInfo, Versions
from palaver.wire.errors import ChatError
from palaver.wire.events import BlockKind
from palaver.wire.messages import Message, QueuedMessage
from palaver_tui.state.growing_text import GrowingText

DRAFT = "new:"  # how the names of views begin whose chats the daemon does not know yet
UNREAD = Progress()
# Where a message that was just sent is expected to land, until the daemon says where it is.
Landing = Literal["history", "queue"]
# `waiting`: no connection, it goes out when there is one. `refused`: the daemon said no.
OutgoingState = Literal["sending", "waiting", "refused"]


@dataclass(frozen=True, slots=True)
class LiveBlock:
    """One block of live output."""

    number: int
    kind: BlockKind
    text: GrowingText
    name: str | None = None
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """The live output of one attempt."""

    episode: str
    blocks: tuple[LiveBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message of ours that the daemon has not shown us yet.

    `key` is its idempotency key; `reason` says why it was refused. `interrupts` is the
    turn that is to be stopped for it, `position` its place in the queue then.
    """

    key: str
    content: str
    created_at: datetime
    landing: Landing = "history"
    state: OutgoingState = "sending"
    reason: str | None = None
    model: str | None = None
    interrupts: int | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class ChatView:
    """What the client knows about a chat. The zero value is a chat that is not there yet.

    `since` is when the present status began: as the daemon says for `pending`, else as this
    client saw it. `progress` is how far the chat was read. `older`: there may be messages before
    the first one here. `gap` is the id of the message after which some may be missing, up to the
    next one that is here; None if none are.
    """

    chat_id: str | None = None
    title: str = ""
    model: str | None = None
    status: ChatStatus = "waiting"
    since: datetime | None = None
    pending: PendingReason | None = None
    detail: str | None = None
    versions: Versions | None = None
    messages: tuple[Message, ...] = ()
    older: bool = True
    gap: int | None = None
    live: Live | None = None
    outgoing: tuple[Outgoing, ...] = ()
    queue: tuple[QueuedMessage, ...] = ()
    held: bool = False
    retry: RetryInfo | None = None
    error: ChatError | None = None
    resume_at: datetime | None = None
    open_calls: tuple[str, ...] = ()
    deadline: datetime | None = None
    context_tokens: int | None = None
    context_limit: int | None = None
    cost_micros: int | None = None
    progress: Progress = UNREAD
    attached: bool = False

    @property
    def caught_up(self) -> bool:
        """Whether everything up to some snapshot was read."""
        return self.progress.since is not None


def unread(view: ChatView) -> ChatView:
    """Return `view` as if nothing had been read of its chat; what is outgoing stays."""
    return ChatView(
        view.chat_id, view.title, view.model, view.status, view.since, outgoing=view.outgoing
    )
