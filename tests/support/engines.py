"""The database engines on which the store must behave the same. Add another one here only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from typing import NamedTuple

from sqlalchemy import Connection

from palaver.clock import SystemClock
from palaverd.store.access import ensure_user
from palaverd.store.database import Database
from palaverd.store.migrate import migrate
from palaverd.store.sqlite import SqliteDatabase
from support.daemon import short_dir
from support.store import NOW, OWNER, memory_store


class Engine(NamedTuple):
    """How to create new, migrated stores with one owner.

    `store` is a plain connection, for suites that control each transaction; `database` is what the
    daemon uses.
    """

    store: Callable[[], AbstractContextManager[Connection]]
    database: Callable[[], AbstractAsyncContextManager[Database]]


@asynccontextmanager
async def _sqlite() -> AsyncIterator[Database]:
    async with short_dir() as path:
        database = SqliteDatabase(path / "palaver.db", SystemClock())
        await database.open(migrate)
        try:
            await database.write(lambda c: ensure_user(c, OWNER, NOW))
            yield database
        finally:
            await database.close()


ENGINES: dict[str, Engine] = {"sqlite": Engine(memory_store, _sqlite)}
