"""The execution state of a chat: one row, as a type."""

from __future__ import annotations

import msgspec

from palaver.wire.chats import PendingReason, RetryInfo
from palaver.wire.errors import ChatError
from palaver.wire.questions import Asks
from palaverd.chatstate.states import Queue, State, Status, classify, queue_of


class Execution(msgspec.Struct):
    """Status, queue, ownership and the nine counters. Times are milliseconds since the epoch.

    See 'Versions' in ARCHITECTURE.md for when each counter moves.
    """

    chat_id: str
    owner: str
    status: str
    archived: bool
    queue_held: bool
    queue_length: int
    worker_id: str | None
    runner_id: str | None
    pending_reason: PendingReason | None
    pending_since: int | None
    last_error: ChatError | None
    retry: RetryInfo | None
    asks: Asks | None
    resume_at: int | None
    compaction_requested_at: int | None
    waiting_for_children: bool
    snapshot_version: int
    history_version: int
    turn_version: int
    queue_version: int
    retry_version: int
    news_version: int
    read_version: int
    generation_attempt: int
    turn_steps: int

    @property
    def state(self) -> State:
        """The state of this row in the table of transitions."""
        return classify(self.status, self.queue_length, self.queue_held, self.archived)

    @property
    def pending(self) -> bool:
        """Whether the chat should run and has no runner."""
        return self.status == Status.RUNNING and self.runner_id is None and not self.archived

    @property
    def queue(self) -> Queue:
        """Whether the queue is empty, free or held."""
        return queue_of(self.queue_length, self.queue_held)

    @property
    def unread(self) -> bool:
        """Whether something has arrived that its owner has not read."""
        return self.news_version > self.read_version

    @property
    def episode(self) -> str:
        """The id of the live output of the current attempt."""
        return f"{self.history_version}.{self.generation_attempt}"


class Fence(msgspec.Struct, frozen=True):
    """The values of the row that a worker's task was started for. If they change, the task is over.

    A runner id is new for every acquisition, so these three never recur together. Status and
    history are None for acquire and release, which are fenced by the runner alone.
    """

    runner_id: str
    history_version: int | None = None
    status: str | None = None

    def holds(self, row: Execution) -> bool:
        """Return whether the row still matches."""
        return (
            row.runner_id == self.runner_id
            and (self.history_version is None or row.history_version == self.history_version)
            and (self.status is None or row.status == self.status)
        )
