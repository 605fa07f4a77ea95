"""Partial answers of many calls are saved together, fenced, and in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeVar, cast

import pytest
from sqlalchemy import Connection

from palaver.wire.messages import Part, Text
from palaverd.chatstate.execution import Fence
from palaverd.chatstate.states import State, Status
from palaverd.generation import saving
from palaverd.generation.saving import PARTIAL_INTERVAL_S, Saver
from palaverd.store.attempts import Shown, load_partial, save_partials
from palaverd.store.database import DatabaseError
from palaverd.stream.episode import Episode
from support.clock import ManualClock, until
from support.store import NOW, memory_store, plant

T = TypeVar("T")
FENCE = Fence("r", 3, Status.RUNNING.value)
HOSTILE = '\0 \\u0000 "quoted" \u2028 \U0001f600 \' $[0]'


@pytest.fixture
def store() -> Iterator[Connection]:
    with memory_store() as connection:
        yield connection


class Kept:
    """A database that keeps what it is to save; `fails` refuses it."""

    def __init__(self) -> None:
        self.saves: list[dict[str, list[Part]]] = []
        self.fails = False

    async def write(
        self, work: Callable[[Connection], T], *, committed: Callable[[T], None] | None = None
    ) -> T:
        assert isinstance(work, partial)
        assert work.func is save_partials
        self.saves.append({one.chat_id: one.parts for one in work.keywords["shown"]})
        if self.fails:
            raise DatabaseError("The disk is full.")
        return cast("T", None)

    async def read(self, work: Callable[[Connection], T]) -> T:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


class Calls:
    """A saver, and calls of as many chats."""

    def __init__(self) -> None:
        self.database = Kept()
        self.clock = ManualClock()
        self.saver = Saver(self.database, self.clock, lambda: NOW)
        self.open = AsyncExitStack()
        self.ends_in_shutdown = False

    async def begin(self, chat_id: str, text: str) -> Episode:
        episode = Episode("3.1", "bench")
        episode.append(episode.open_block("text"), text)
        saves = self.saver.saving(chat_id, FENCE, episode, lambda: self.ends_in_shutdown)
        await self.open.enter_async_context(saves)
        return episode

    async def second(self) -> dict[str, list[Part]]:
        """Let the time between two saves pass; return what was saved then."""
        await until(self.clock.waits)
        before = len(self.database.saves)
        self.clock.advance(PARTIAL_INTERVAL_S)
        await until(self.clock.waits)
        assert len(self.database.saves) <= before + 1
        return {} if len(self.database.saves) == before else self.database.saves[-1]


def shown(chat_id: str, text: str, fence: Fence = FENCE, episode: str = "3.1") -> Shown:
    return Shown(chat_id, fence, episode, [Text(text)], "bench")


def test_each_chat_is_saved_as_it_was_shown_and_replaced_by_the_next_save(
    store: Connection,
) -> None:
    for chat_id in "ab":
        plant(store, State.R0, chat_id=chat_id, runner_id="r")
    save_partials(store, [shown("a", "one"), shown("b", "two")], NOW)
    save_partials(store, [shown("a", HOSTILE)], NOW + 1)
    first, second = load_partial(store, "a"), load_partial(store, "b")
    assert first is not None
    assert second is not None
    assert (first.parts, second.parts) == ([Text(HOSTILE)], [Text("two")])
    assert (first.history_version, first.attempt, first.model) == (3, 1, "bench")


@pytest.mark.parametrize(
    "late",
    [
        shown("a", "late", Fence("other", 3, Status.RUNNING.value)),
        shown("a", "late", Fence("r", 2, Status.RUNNING.value)),
        shown("a", "late", Fence("r", 3, Status.INTERRUPTING.value)),
        shown("a", "late", episode="3.2"),
        shown("gone", "late"),
    ],
    ids=["runner", "history", "status", "attempt", "deleted"],
)
def test_what_belongs_to_another_state_is_left_out_and_the_rest_is_saved(
    store: Connection, late: Shown
) -> None:
    for chat_id in "ab":
        plant(store, State.R0, chat_id=chat_id, runner_id="r")
    save_partials(store, [late, shown("b", "two")], NOW)
    assert load_partial(store, "a") is None
    assert load_partial(store, "b") is not None


async def test_all_that_grew_is_saved_in_one_transaction() -> None:
    calls = Calls()
    async with calls.open:
        grows = await calls.begin("a", "one")
        await calls.begin("b", "two")
        assert await calls.second() == {"a": [Text("one")], "b": [Text("two")]}
        grows.append(0, " more")
        assert await calls.second() == {"a": [Text("one more")]}
        assert await calls.second() == {}
    await until(lambda: not calls.clock.waits())  # without calls there is nothing to do


@pytest.mark.parametrize("limit", ["MOST_CHATS", "MOST_TEXT"])
async def test_when_there_are_too_many_for_one_they_take_turns(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(saving, limit, 2 if limit == "MOST_CHATS" else len("text") * 2 + 1)
    calls = Calls()
    async with calls.open:
        episodes = [await calls.begin(chat_id, "text") for chat_id in "abc"]
        assert list(await calls.second()) == ["a", "b"]
        for episode in episodes:
            episode.append(0, "!")
        assert next(iter(await calls.second())) == "c", "it has waited longest"


async def test_what_could_not_be_saved_is_saved_the_next_time() -> None:
    calls = Calls()
    async with calls.open:
        await calls.begin("a", "one")
        calls.database.fails = True
        await calls.second()
        calls.database.fails = False
        assert await calls.second() == {"a": [Text("one")]}
        assert await calls.second() == {}


@pytest.mark.parametrize("shutdown", [True, False])
async def test_a_call_that_a_shutdown_ends_is_saved_once_more(shutdown: bool) -> None:
    calls = Calls()
    async with calls.open:
        await calls.begin("a", "one")
        calls.ends_in_shutdown = shutdown
    assert calls.database.saves == ([{"a": [Text("one")]}] if shutdown else [])


async def test_with_many_calls_each_is_still_saved_once_in_an_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(saving, "MOST_CHATS", 2)
    calls = Calls()
    async with calls.open:
        for chat_id in "abcdef":
            await calls.begin(chat_id, "text")
        await calls.second()  # the first wait began with a single call
        calls.database.saves.clear()
        for _ in range(3):
            await until(calls.clock.waits)
            calls.clock.advance(PARTIAL_INTERVAL_S / 3)
        await until(lambda: len(calls.database.saves) == 2)
        saved = [chat_id for save in calls.database.saves for chat_id in save]
        assert saved == list("cdef")
