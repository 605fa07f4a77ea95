"""The state of one chat in the client, as one value."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from palaver.stream.progress import Progress
from palaver.wire.chats import ChatStatus, PendingReason, RetryInfo, Versions
from palaver.wire.errors import ChatError
from palaver.wire.events import BlockKind
from palaver.wire.messages import Message, QueuedMessage
from palaver.wire.questions import OpenCall
from palaver.workspaces import NO_WORKSPACE, WantedWorkspace
from palaver_tui.state.growing_text import GrowingText

DRAFT = "new:"  # prefix of the names of views whose chats do not exist in the daemon yet
UNREAD = Progress()
# Where a message that was just sent is shown until the daemon has answered.
Landing = Literal["history", "queue"]
# `waiting`: no connection, sent as soon as there is one. `refused`: the daemon refused it.
OutgoingState = Literal["sending", "waiting", "refused"]


# In these a message can join the turn; an interruption ends it.
STEERABLE: frozenset[ChatStatus] = frozenset({"pending", "running", "requires_action"})


class LiveBlock(msgspec.Struct, frozen=True):
    """One block of live output."""

    number: int
    kind: BlockKind
    text: GrowingText
    name: str | None = None
    call_id: str | None = None


class Live(msgspec.Struct, frozen=True):
    """The live output of one attempt."""

    episode: str
    blocks: tuple[LiveBlock, ...] = ()


class Outgoing(msgspec.Struct, frozen=True):
    """A message sent by this client that has not appeared in the chat's stream yet.

    `key` is its idempotency key; `reason` says why it was refused. `interrupts` is the version of
    the turn to interrupt for it, `position` its place in the queue in that case; `steers` is the
    version of the turn that it joins.
    `may_have_arrived`: it was sent, and the response was lost. `workspace` is the directory of the
    chat that it begins.
    """

    key: str
    content: str
    created_at: datetime
    landing: Landing = "history"
    state: OutgoingState = "sending"
    reason: str | None = None
    model: str | None = None
    interrupts: int | None = None
    steers: int | None = None
    position: int | None = None
    may_have_arrived: bool = False
    workspace: WantedWorkspace = NO_WORKSPACE

    @property
    def can_be_taken_back(self) -> bool:
        """Whether the daemon certainly does not have it, and it is not on its way."""
        return self.state == "refused" or (self.state == "waiting" and not self.may_have_arrived)


class ChatView(msgspec.Struct, frozen=True):
    """What the client knows about a chat. The default value is a chat that does not exist yet.

    `since` is when the current status began: the daemon's time for `pending`, else the time when
    this client learned of it. `open_calls` are the ids of calls that wait for a client, `asked` the
    calls with what they ask, which older daemons do not tell. `progress` is how far the stream was
    read. `older`: there may be messages before the first one here. `gap` is the id of the message
    after which messages may be missing, up to the next one in `messages`; None if none are missing.
    """

    chat_id: str | None = None
    title: str = ""
    model: str | None = None
    status: ChatStatus = "waiting"
    since: datetime | None = None
    pending: PendingReason | None = None
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
    asked: tuple[OpenCall, ...] = ()
    context_tokens: int | None = None
    context_limit: int | None = None
    cost_micros: int | None = None
    progress: Progress = UNREAD
    attached: bool = False

    def steers(self, queued: QueuedMessage) -> bool:
        """Return whether a queued message will join the current turn."""
        turn = self.versions.turn if self.versions and self.status in STEERABLE else None
        return turn is not None and queued.steer_turn == turn

    @property
    def caught_up(self) -> bool:
        """Whether the stream was read up to a snapshot."""
        return self.progress.since is not None


def unread(view: ChatView) -> ChatView:
    """Return `view` without what was read from the stream; outgoing messages stay."""
    return ChatView(
        view.chat_id, view.title, view.model, view.status, view.since, outgoing=view.outgoing
    )
