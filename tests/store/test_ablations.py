"""Each safeguard switched off once: the checks must then fail."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection, Engine, event

from palaver.clock import SystemClock
from palaver.wire.chats import CreateChat
from palaverd.store import door as door_module
from palaverd.store.access import ensure_user
from palaverd.store.door import Door
from palaverd.store.hints import Hint
from palaverd.store.migrate import migrate
from palaverd.store.sqlite import SqliteDatabase
from palaverd.usecases import keyed_requests
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat
from support.asking import repeater, sender
from support.daemon import short_dir
from support.interleaving import Actor, World, tell, worker
from support.store import NOW, OWNER, context_of

T = TypeVar("T")
OLD, NEW = Actor(worker("old"), 3), Actor(worker("new"), 3)


def nothing_waits(_world: World) -> None:
    pass


def test_without_the_fence_a_worker_that_was_taken_over_does_harm(
    store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    actors = [OLD, NEW, sender("a")]
    tell(store, nothing_waits, actors)
    monkeypatch.setattr(door_module, "check_fence", lambda row, fence: None)
    with pytest.raises(AssertionError, match="in the order"):
        tell(store, nothing_waits, actors)


def test_without_idempotency_keys_a_repeated_message_is_there_twice(
    store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    actors = [repeater("a"), Actor(worker("first"), 3)]
    tell(store, nothing_waits, actors)
    monkeypatch.setattr(keyed_requests, "find_made", lambda connection, key: None)
    monkeypatch.setattr(keyed_requests, "store_made", lambda *_: None)
    with pytest.raises(AssertionError, match="'a', 'a'"):
        tell(store, nothing_waits, actors)


async def order_of_events() -> list[str]:
    """Return the commits and hints of a creation in a real file, in order."""
    events: list[str] = []

    class Listener:
        def publish(self, _hint: Hint) -> None:
            events.append("hint")

    def committed(_connection: Connection) -> None:
        events.append("commit")

    async with short_dir() as path:
        database = SqliteDatabase(path / "palaver.db", SystemClock())
        await database.open(migrate)
        await database.write(lambda c: ensure_user(c, OWNER, NOW))
        event.listen(Engine, "commit", committed)
        try:
            door = Door(database, Listener(), SystemClock(), random.Random(1))
            await create_chat(context_of(door), Asker(OWNER), CreateChat("hi", title="t"))
        finally:
            event.remove(Engine, "commit", committed)
            await database.close()
    return events


async def a_hint_follows_its_commit() -> None:
    assert await order_of_events() == ["commit", "hint"]


async def test_a_hint_that_overtakes_its_commit_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    await a_hint_follows_its_commit()
    write = SqliteDatabase.write

    async def publish_first(
        self: SqliteDatabase,
        work: Callable[[Connection], T],
        *,
        committed: Callable[[T], None] | None = None,
    ) -> T:
        def inside(connection: Connection) -> T:
            result = work(connection)
            if committed is not None:
                committed(result)
            return result

        return await write(self, inside)

    monkeypatch.setattr(SqliteDatabase, "write", publish_first)
    with pytest.raises(AssertionError):
        await a_hint_follows_its_commit()
