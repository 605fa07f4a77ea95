"""A runner survives what is not a provider's failure: bugs, stray cancellations, the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest
from sqlalchemy import select, update

from palaver.client import Client
from palaver.wire.chats import Chat, CreateChat, SendMessage
from palaverd.chatstate.table import Transition
from palaverd.crashpoints import When
from palaverd.daemon import Daemon
from palaverd.generation.cancellation import Cause
from palaverd.providers.neutral import ModelEvent, ModelRequest
from palaverd.store.check import violations
from palaverd.store.codec import UNREADABLE
from palaverd.store.database import DatabaseError
from palaverd.store.tables import chats, leases, messages
from palaverd.store.transitions.reconcile import REPAIRED
from palaverd.worker.limits import RETRY_FIRST_S
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import running_pair
from support.scene import scene


async def at_rest(daemon: Daemon, client: Client, chat_id: str) -> Chat:
    async with asyncio.timeout(PATIENCE_S):
        while (chat := await client.chat(chat_id)).status not in ("waiting", "error"):
            await asyncio.sleep(0.01)
        while daemon.worker.running:
            await asyncio.sleep(0.01)
    assert await daemon.database.read(lambda c: violations(c, chat_id)) == []
    return chat


def break_once(daemon: Daemon, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make the first call of the real provider raise what no provider should."""
    provider = daemon.catalog._providers["anthropic"]
    real, left = provider.stream, [error]

    async def stream(request: ModelRequest) -> AsyncGenerator[ModelEvent]:
        if left:
            raise left.pop()
        async for event in real(request):
            yield event

    monkeypatch.setattr(provider, "stream", stream)


async def test_a_bug_ends_the_turn_in_a_sentence_and_the_chat_can_be_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running_pair() as (daemon, client, _):
        break_once(daemon, monkeypatch, ZeroDivisionError("secret detail"))
        sent = await client.create_chat(CreateChat(content="hi"))
        chat = await at_rest(daemon, client, sent.chat.id)
        assert chat.last_error is not None
        assert chat.last_error.kind == "generic"
        assert "ZeroDivision" not in chat.last_error.message
        assert "secret" not in chat.last_error.message
        await client.send(sent.chat.id, SendMessage(content="[[echo]] again"))
        assert (await at_rest(daemon, client, sent.chat.id)).status == "waiting"


async def test_a_cancellation_that_nobody_asked_for_does_not_end_the_chat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running_pair() as (daemon, client, _):
        break_once(daemon, monkeypatch, asyncio.CancelledError())
        sent = await client.create_chat(CreateChat(content="[[echo]] fine"))
        chat = await at_rest(daemon, client, sent.chat.id)
        assert (chat.status, chat.last_error) == ("waiting", None)
        page = await client.messages(sent.chat.id)
        assert [m.role for m in page.messages] == ["assistant", "user"]


async def test_a_database_that_is_away_for_a_moment_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running_pair() as (daemon, client, _):
        break_once(daemon, monkeypatch, DatabaseError("The disk is full."))
        sent = await client.create_chat(CreateChat(content="[[echo]] fine"))
        chat = await at_rest(daemon, client, sent.chat.id)
        assert (chat.status, chat.last_error) == ("waiting", None)
        page = await client.messages(sent.chat.id)
        assert [m.role for m in page.messages] == ["assistant", "user"]


@pytest.mark.parametrize(
    "stored", ['[{"type": "of a newer program"}, {"type": "text", "text": "hi"}]', "{cut off"]
)
async def test_a_message_that_cannot_be_read_keeps_no_chat_from_going_on(stored: str) -> None:
    async with running_pair() as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] one"))
        await at_rest(daemon, client, sent.chat.id)
        answered = update(messages).where(messages.c.role == "assistant").values(parts=stored)
        await daemon.database.write(lambda c: c.execute(answered))
        page = await client.messages(sent.chat.id)
        assert UNREADABLE in str(page.messages[0].parts)
        await client.send(sent.chat.id, SendMessage(content="[[echo]] two"))
        async with asyncio.timeout(PATIENCE_S):
            while (await client.chat(sent.chat.id)).status != "waiting":
                await asyncio.sleep(0.01)
        page = await client.messages(sent.chat.id)
        assert [m.role for m in page.messages] == ["assistant", "user"] * 2
        wrong = await daemon.database.read(lambda c: violations(c, sent.chat.id))
        assert wrong == [f"message {page.messages[2].id} cannot be read"]


async def test_a_queue_that_is_counted_and_not_there_is_repaired_and_not_run_for_ever() -> None:
    async with scene("[[529]] [[echo]] hello") as s:
        await s.reaches("running", retry=True)
        await s.daemon.database.write(lambda c: c.execute(update(chats).values(queue_length=2)))
        s.clock.advance(2)
        while (chat := await s.client.chat(s.chat_id)).status == "running":
            await asyncio.sleep(0.01)
        assert (chat.queue_length, chat.last_error) == (0, REPAIRED)
        await s.reaches("error", runner_id=False)


async def test_a_stop_of_the_daemon_is_not_missed_while_a_bug_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):
        break_once(daemon, monkeypatch, ZeroDivisionError())

        async def logged(*_: object, **__: object) -> None:
            [runner] = daemon.worker._runners.values()
            runner.leave(Cause.SHUTDOWN)

        async def gives_up(*_: object) -> None:
            raise DatabaseError("The disk is full.")

        monkeypatch.setattr("palaverd.worker.runner.log_bug", logged)
        monkeypatch.setattr("palaverd.worker.runner.fail", gives_up)
        await client.create_chat(CreateChat(content="hi"))
        await until(lambda: daemon.episodes)
        try:
            # The clock is stopped: a pause would last for ever.
            await until(lambda: daemon.worker.running == 0)
        finally:
            clock.advance(RETRY_FIRST_S)


async def test_a_release_that_could_not_be_written_is_tried_again() -> None:
    async with scene("[[echo]] hello") as s:
        failed: list[int] = []

        def hook(when: When, transitions: Sequence[str]) -> None:
            if when == "before" and Transition.RELEASE in transitions and not failed:
                failed.append(1)
                raise DatabaseError("The disk is full.")

        s.daemon.door._reached = hook
        await until(lambda: failed)
        assert (await s.row()).runner_id is not None
        await until(lambda: min(s.clock.waits()) <= RETRY_FIRST_S)
        s.clock.advance(RETRY_FIRST_S)
        await s.reaches("waiting", runner_id=False)
        left = await s.daemon.database.read(lambda c: c.execute(select(leases)).all())
        assert left == []


async def test_the_transaction_that_ends_a_turn_releases_its_chat() -> None:
    async with scene("[[echo]] hello") as s:
        ends: list[Sequence[str]] = []

        def hook(when: When, transitions: Sequence[str]) -> None:
            if when == "after" and Transition.FINISH_TURN in transitions:
                ends.append(transitions)

        s.daemon.door._reached = hook
        await s.reaches("waiting", runner_id=False)
        await until(lambda: s.daemon.worker.running == 0)
        assert ends == [(Transition.COMMIT_RESPONSE, Transition.FINISH_TURN, Transition.RELEASE)]
