"""The execution state of a chat, as its row holds it."""

from __future__ import annotations

import msgspec

from palaver.wire.chats import PendingReason, RetryInfo
from palaver.wire.errors import ChatError
from palaverd.chatstate.states import Queue, State, Status, classify, queue_of


class Execution(msgspec.Struct):
    """Status, queue, ownership and the six counters. Times are milliseconds since the epoch.

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
    resume_at: int | None
    compaction_requested_at: int | None
    waiting_for_children: bool
    snapshot_version: int
    history_version: int
    turn_version: int
    queue_version: int
    retry_version: int
    generation_attempt: int

    @property
    def state(self) -> State:
        """The state that the table speaks of."""
        return classify(self.status, self.queue_length, self.queue_held, self.archived)

    @property
    def pending(self) -> bool:
        """Whether it should run and nobody works on it."""
        return self.status == Status.RUNNING and self.runner_id is None and not self.archived

    @property
    def queue(self) -> Queue:
        """Empty, free or held."""
        return queue_of(self.queue_length, self.queue_held)

    @property
    def episode(self) -> str:
        """The name of the live output of the present attempt."""
        return f"{self.history_version}.{self.generation_attempt}"


class Fence(msgspec.Struct, frozen=True):
    """What a worker's task was started for. If the row says otherwise, the task is over.

    A runner id is fresh for every acquisition, so these three never come back. Status and
    history are None for acquire and release, which the runner alone fences.
    """

    runner_id: str
    history_version: int | None = None
    status: str | None = None

    def holds(self, row: Execution) -> bool:
        """Whether the row is still the one the task was started for."""
        return (
            row.runner_id == self.runner_id
            and (self.history_version is None or row.history_version == self.history_version)
            and (self.status is None or row.status == self.status)
        )
