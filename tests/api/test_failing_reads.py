"""A stream whose database cannot be read says so, stays open, and goes on once it can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection

from palaver.client import Client, Refused
from palaver.wire.chats import CreateChat
from palaver.wire.errors import ChatError
from palaver.wire.events import ChatUpdated, ListError, ListSnapshot
from palaver.wire.queue import ChangeChat
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.acquisition import read_hints
from palaverd.store.database import DatabaseError
from palaverd.store.listing import list_chats, read_chats
from palaverd.store.sync import Changes, load_changes
from stream.stage import Stage
from support.chats import rests
from support.clock import ManualClock, result_of, until
from support.daemon import running_pair
from support.hints import lose_hints
from support.view import View, read_until
from support.watching import Watching

# Between two reads in these tests: no other timer of the daemon waits so long, so that it is known
# when a read waits.
RETRY_S = 1.25

T = TypeVar("T")


class Failing:
    """Makes the reads of streams fail while `broken`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken = True
        self.failures = 0

        def maybe(connection: Connection, chat_id: str, since: int | None) -> Changes:
            if self.broken:
                self.failures += 1
                raise DatabaseError("disk I/O error")
            return load_changes(connection, chat_id, since)

        # Requests read too: only what streams read fails.
        monkeypatch.setattr("palaverd.stream.reader.load_changes", maybe)
        monkeypatch.setattr("palaverd.stream.subscriber.READ_RETRY_S", RETRY_S)


class FailingList(Failing):
    """The same for the reads of the list: of the snapshot, and of chats whose hint has no row."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(monkeypatch)
        for name, real in (("list_chats", list_chats), ("read_chats", read_chats)):
            monkeypatch.setattr(f"palaverd.stream.watch.{name}", self._failing(real))
        monkeypatch.setattr("palaverd.stream.watch.READ_RETRY_S", RETRY_S)

    def _failing(self, real: Callable[..., T]) -> Callable[..., T]:
        def maybe(*args: Any, **how: Any) -> T:
            if self.broken:
                self.failures += 1
                raise DatabaseError("disk I/O error")
            return real(*args, **how)

        return maybe


async def chat_of(client: Client, daemon: Daemon) -> str:
    chat_id = (await client.create_chat(CreateChat("[[echo]] hello"))).chat.id
    await rests(daemon, client, chat_id)
    return chat_id


async def test_a_handshake_whose_read_fails_is_an_error_event_and_a_retry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):
        chat_id = await chat_of(client, daemon)
        failing, view = Failing(monkeypatch), View()
        errors: list[ChatError | None] = []

        def told() -> bool:
            if not errors or errors[-1] != view.error:
                errors.append(view.error)
            return view.caught_up

        reading = asyncio.create_task(read_until(client, chat_id, view, told))
        for failures in (1, 2, 3):
            await until(lambda: failing.failures == failures and len(daemon.sockets) == 1)  # noqa: B023
            await until(lambda: view.error is not None and RETRY_S in clock.waits())
            assert not view.messages
            failing.broken = failures < 3
            clock.advance(RETRY_S)
        await reading
        [told_error, after] = errors
        assert told_error is not None
        assert told_error.retryable
        assert "disk I/O error" in told_error.message
        assert after is None
        assert [message.role for message in view.messages.values()] == ["user", "assistant"]


async def test_so_is_a_read_that_fails_later(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        stage = Stage(daemon)
        await stage.create()
        (await stage.attempt()).open_block("text")
        stage.say(0, "some words")
        failing, view = Failing(monkeypatch), View()
        failing.broken = False
        reading = asyncio.create_task(
            read_until(
                client, stage.chat_id, view, lambda: len(view.messages) == 2 and not view.error
            )
        )
        await until(lambda: view.caught_up)
        failing.broken = True
        await stage.commit()
        await until(lambda: view.error is not None and RETRY_S in clock.waits())
        assert view.live[0].text == "some words"
        failing.broken = False
        clock.advance(RETRY_S)
        await reading
        assert (view.error, view.live) == (None, {})


async def test_a_chat_that_turns_out_to_be_nobody_s_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):
        chat_id = await chat_of(client, daemon)
        failing, view = Failing(monkeypatch), View()
        reading = asyncio.create_task(
            read_until(client, "no-such-chat", view, lambda: view.caught_up)
        )
        await until(lambda: view.error is not None and RETRY_S in clock.waits())
        failing.broken = False
        clock.advance(RETRY_S)
        await until(lambda: len(daemon.sockets) == 0)
        with pytest.raises(Refused):
            await result_of(reading, clock, 1)
        await client.change_chat(chat_id, ChangeChat(title="still here"))


async def test_a_list_that_cannot_be_read_is_an_error_event_and_a_retry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=WorkerConfig(enabled=False)) as (_, client, _):
        chat_id = (await client.create_chat(CreateChat("hello", title="old"))).chat.id
        failing = FailingList(monkeypatch)
        async with Watching(client) as watching:
            for failures in (1, 2, 3):
                await until(lambda: failing.failures == failures and RETRY_S in clock.waits())  # noqa: B023
                await until(lambda: len(watching.events) == failures)  # noqa: B023
                failing.broken = failures < 3
                clock.advance(RETRY_S)
            await until(lambda: watching.chats.keys() == {chat_id})
            *errors, over, snapshot = watching.events
            for error in errors:
                assert isinstance(error, ListError)
                assert error.error is not None
                assert error.error.retryable
                assert "disk I/O error" in error.error.message
            assert over == ListError(None)
            assert isinstance(snapshot, ListSnapshot)
            assert watching.connections == 1


async def test_a_change_whose_read_fails_is_told_after_the_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):
        ids = [await chat_of(client, daemon) for _ in range(3)]
        failing = FailingList(monkeypatch)
        failing.broken = False
        async with Watching(client) as watching:
            await until(lambda: len(watching.chats) == len(ids))
            lose_hints(daemon)
            changed, other, gone = ids
            await client.change_chat(changed, ChangeChat(title="changed"))
            await client.change_chat(other, ChangeChat(title="other"))
            await client.change_chat(gone, ChangeChat(archived=True))
            failing.broken = True
            for hint in await daemon.database.read(lambda c: read_hints(c, [changed, gone])):
                daemon.hub.publish(hint)  # without its row, as that of another process
            await until(lambda: failing.failures == 1 and RETRY_S in clock.waits())
            await until(lambda: isinstance(watching.events[-1], ListError))
            # What comes during the wait is not lost either.
            for hint in await daemon.database.read(lambda c: read_hints(c, [other])):
                daemon.hub.publish(hint)
            failing.broken = False
            clock.advance(RETRY_S)
            await until(lambda: watching.chats[other].title == "other")
            assert watching.chats[changed].title == "changed"
            assert watching.chats[gone].archived
            first_change = next(
                n for n, one in enumerate(watching.events) if isinstance(one, ChatUpdated)
            )
            assert watching.events[first_change - 1] == ListError(None)
            assert watching.connections == 1
