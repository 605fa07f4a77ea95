"""A database that runs each transaction at once, on one connection, in the test's order.

The door and the requests are asynchronous because of the engines below them; on this one they never
wait, so that a sequence of commits can run step by step without an event loop.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy import Connection

from palaverd.store.door import Door
from palaverd.store.hints import Hint
from support.clock import ManualClock

T = TypeVar("T")


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    work.close()
    raise AssertionError("it waits for something")


class InlineDatabase:
    """Every transaction is a savepoint of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def write(
        self, work: Callable[[Connection], T], *, committed: Callable[[T], None] | None = None
    ) -> T:
        with self._connection.begin_nested():
            result = work(self._connection)
        if committed is not None:
            committed(result)
        return result

    async def read(self, work: Callable[[Connection], T]) -> T:
        return work(self._connection)

    async def close(self) -> None:
        """Do nothing."""


class Unheard:
    """A publisher without subscribers: results must not depend on hints."""

    def publish(self, hint: Hint) -> None:
        pass


def inline_door(connection: Connection, clock: ManualClock | None = None) -> Door:
    return Door(InlineDatabase(connection), Unheard(), clock or ManualClock(), random.Random(1))
