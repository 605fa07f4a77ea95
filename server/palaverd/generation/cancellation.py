"""Why a task was cancelled, stored beside the task."""

from __future__ import annotations

from enum import Enum


class Cause(Enum):
    """Why this program cancelled a task. Guards of a model call have their own (`Guards.fired`).

    A cancellation without a cause was raised by a library: it is a failure.
    """

    INTERRUPTED = "interrupted"
    SUPERSEDED = "superseded"
    LEASE_LOST = "lease_lost"
    SHUTDOWN = "shutdown"


class Cancellation:
    """The cause of a task's cancellation, None until there is one."""

    def __init__(self) -> None:
        self.cause: Cause | None = None
