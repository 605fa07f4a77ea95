"""What a database does for full-text search: the interface of its engine."""

from __future__ import annotations

from typing import Protocol

import msgspec
from sqlalchemy import Connection

from palaver.wire.bounds import Whole
from palaverd.store.search.query import Query


class Place(msgspec.Struct, frozen=True):
    """A message in which a query was found, or a title (`message_id` is None).

    `rank` orders places, the best one first; equal ones are ordered by `at` (milliseconds), the
    newest one first. `number` is unique.
    """

    rank: float
    at: int
    number: int
    chat_id: str
    message_id: int | None

    @property
    def order(self) -> tuple[float, int, int]:
        """What places are sorted by."""
        return (self.rank, -self.at, self.number)


class After(msgspec.Struct, frozen=True, array_like=True):
    """The end of a page: the place in the order after which the next one begins."""

    rank: float
    at: int
    number: int


class Scope(msgspec.Struct, frozen=True):
    """Where to search: an owner's chats; only those that are `archived` or not; only one chat."""

    owner: str
    archived: bool | None = None
    chat_id: str | None = None


class Indexed(msgspec.Struct, frozen=True):
    """How far the index is: ids of messages from `low` to `high` are done, of `newest` that exist.

    Messages above `high` are new ones; messages below `low` are those of a database from before
    there was an index.
    """

    low: Whole
    high: Whole
    newest: Whole

    @property
    def current(self) -> bool:
        """Whether all new messages are in it."""
        return self.high >= self.newest

    @property
    def complete(self) -> bool:
        """Whether all messages are in it."""
        return self.current and self.low == 0

    @property
    def share(self) -> float:
        """How much of the history is in it, from 0 to 1, by the ids of messages."""
        if self.complete:
            return 1.0
        return max(0, self.high - max(self.low - 1, 0)) / max(self.newest, self.high, 1)


class SearchEngine(Protocol):
    """An index of the words of messages and titles, in the same database."""

    def indexed(self, connection: Connection) -> Indexed:
        """Return how far the index is."""

    def index_some(self, connection: Connection) -> Indexed:
        """Index the next messages, new ones first, in a writing transaction of some milliseconds.

        Returns how far the index is then.
        """

    def find(self, connection: Connection, query: Query, scope: Scope) -> list[Place]:
        """Return where a query is found, the best place first; of very many, among the newest."""
