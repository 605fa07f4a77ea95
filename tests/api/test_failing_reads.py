"""A stream whose database cannot be read says so, stays open, and goes on once it can."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection

from palaver.client import Client, Refused
from palaver.wire.chats import CreateChat
from palaver.wire.errors import ChatError
from palaver.wire.queue import ChangeChat
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.database import DatabaseError
from palaverd.store.sync import Changes, load_changes
from stream.stage import Stage
from support.chats import rests
from support.clock import ManualClock, result_of, until
from support.daemon import running_pair
from support.view import View, read_until

# Between two reads in these tests: no other timer of the daemon waits so long, so that it is known
# when a read waits.
RETRY_S = 1.25


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
