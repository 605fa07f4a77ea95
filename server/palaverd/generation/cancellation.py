"""Why a task was cancelled by us, kept beside the task."""

from __future__ import annotations

from enum import Enum


class Cause(Enum):
    """Why we cancelled a task. A guard of a model call keeps its own reason (`Guards.fired`).

    A cancellation without a cause was raised by a library: it is a failure, not a wish.
    """

    INTERRUPTED = "interrupted"
    SUPERSEDED = "superseded"
    LEASE_LOST = "lease_lost"
    SHUTDOWN = "shutdown"


class Cancellation:
    """The cause, once there is one. Only who holds both this and the error may judge it."""

    def __init__(self) -> None:
        self.cause: Cause | None = None
