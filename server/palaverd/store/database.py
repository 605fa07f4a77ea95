"""The interface of a database engine: whole transactions, as plain functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

# Seconds. Every read that a handshake or a hint triggers is bounded, so that a stalled database
# cannot block subscribers.
READ_DEADLINE_S = 5.0


class DatabaseError(Exception):
    """A transaction failed; nothing was changed. `sentence` is for users."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Database(Protocol):
    """One engine. `work` is a synchronous function over a SQLAlchemy Core connection."""

    async def write(
        self, work: Callable[[Connection], T], *, committed: Callable[[T], None] | None = None
    ) -> T:
        """Run `work` in one writing transaction.

        `committed` runs on the event loop once the commit is on disk, before this returns, and also
        if the caller was cancelled: it publishes the hints.

        Raises:
            DatabaseError: the transaction failed and was rolled back.
        """

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one reading transaction; it times out if no read ends in `READ_DEADLINE_S`.

        Raises:
            DatabaseError: it failed, or timed out.
        """

    async def close(self) -> None:
        """Finish accepted transactions, then close every connection."""
