"""A runner survives what is not a provider's failure: bugs, stray cancellations, the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from palaver.client import Client
from palaver.wire.chats import Chat, CreateChat, SendMessage
from palaverd.daemon import Daemon
from palaverd.providers.neutral import ModelEvent, ModelRequest
from palaverd.store.check import violations
from palaverd.store.database import DatabaseError
from support.daemon import running_pair


async def at_rest(daemon: Daemon, client: Client, chat_id: str) -> Chat:
    async with asyncio.timeout(5):
        while (chat := await client.chat(chat_id)).status not in ("waiting", "error"):
            await asyncio.sleep(0.01)
        while daemon.worker.running:
            await asyncio.sleep(0.01)
    assert await daemon.database.read(lambda c: violations(c, chat_id)) == []
    return chat


def break_once(daemon: Daemon, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the first call of the real provider raise what no provider should."""
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
