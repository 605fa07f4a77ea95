"""What storage asks of an engine: whole transactions, each written once as a plain function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")

# Every read that a handshake or a notification triggers is bounded, so that a stalled database
# cannot pin subscribers.
READ_DEADLINE_S = 5.0


class DatabaseError(Exception):
    """The database did not do what was asked; nothing was changed. `sentence` is for people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Database(Protocol):
    """One engine. `work` is a synchronous function over a SQLAlchemy Core connection."""

    async def write(
        self, work: Callable[[Connection], T], *, committed: Callable[[T], None] | None = None
    ) -> T:
        """Run `work` in one writing transaction.

        `committed` runs on the event loop once the commit is on disk, before this returns, and
        also when nobody waits for the answer any more: that is where hints are published.

        Raises:
            DatabaseError: the transaction failed and was rolled back.
        """

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one reading transaction, bounded while no read ends by `READ_DEADLINE_S`.

        Raises:
            DatabaseError: it failed, or took too long.
        """

    async def close(self) -> None:
        """Finish what was accepted, then close every connection."""
