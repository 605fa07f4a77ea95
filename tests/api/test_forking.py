"""Forks and cleared contexts: what is copied, what is closed, what the model still gets."""

from __future__ import annotations

import pytest

from palaver.client import Refused
from palaver.wire.actions import ClearContext, Fork
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.messages import ToolResult
from palaverd.config.types import WorkerConfig
from palaverd.store.check import violations
from palaverd.store.history import open_calls
from support.chats import assert_well, history, plant_calls, rests
from support.daemon import running_pair


async def test_a_fork_has_the_history_up_to_its_message_and_goes_its_own_way() -> None:
    async with running_pair() as (daemon, client, _):
        chat_id = (await client.create_chat(CreateChat(content="[[echo]] one"))).chat.id
        await rests(daemon, client, chat_id)
        await client.send(chat_id, SendMessage(content="[[echo]] two"))
        before = await rests(daemon, client, chat_id)
        messages = (await client.messages(chat_id)).messages[::-1]
        forked = await client.fork(chat_id, Fork(messages[1].id, "a copy"), key="k")
        fork_id = forked.chat.id
        assert (forked.chat.status, forked.chat.title) == ("waiting", "a copy")
        assert await history(client, fork_id) == [("user", "[[echo]] one"), ("assistant", "one")]
        await client.send(fork_id, SendMessage(content="[[echo]] other"))
        await rests(daemon, client, fork_id)
        assert (await history(client, fork_id))[-1] == ("assistant", "other")
        assert await client.chat(chat_id) == before
        again = await client.fork(chat_id, Fork(messages[1].id, "a copy"), key="k")
        assert (again.repeated, again.chat.id) == (True, fork_id)
        assert len((await client.chats()).chats) == 2
        await assert_well(daemon, chat_id, fork_id)


async def test_a_fork_closes_the_calls_that_had_no_result_yet() -> None:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        await daemon.database.write(lambda c: plant_calls(c, "a", {"a1": None, "a2": None}))
        last = (await client.messages("a")).messages[0].id
        fork_id = (await client.fork("a", Fork(last))).chat.id
        [results] = [m.parts for m in (await client.messages(fork_id)).messages if m.role == "tool"]
        assert all(isinstance(part, ToolResult) and part.is_error for part in results)
        assert [part.call_id for part in results if isinstance(part, ToolResult)] == ["a1", "a2"]
        assert await daemon.database.read(lambda c: open_calls(c, fork_id)) == []
        # The chat that was forked still waits for its answers.
        assert len(await daemon.database.read(lambda c: open_calls(c, "a"))) == 2
        assert await daemon.database.read(lambda c: violations(c, fork_id)) == []


async def test_a_fork_at_a_message_that_is_not_there_is_refused() -> None:
    async with running_pair() as (daemon, client, _):
        chat_id = (await client.create_chat(CreateChat(content="[[echo]] one"))).chat.id
        await rests(daemon, client, chat_id)
        with pytest.raises(Refused) as refused:
            await client.fork(chat_id, Fork(10**6))
        assert (refused.value.problem.status, refused.value.problem.code) == (
            404,
            "no_such_message",
        )
        assert len((await client.chats()).chats) == 1


async def test_a_cleared_context_is_hidden_from_the_model_and_not_from_people() -> None:
    async with running_pair() as (daemon, client, simulator):
        chat_id = (await client.create_chat(CreateChat(content="[[echo]] secret"))).chat.id
        chat = await rests(daemon, client, chat_id)
        cleared = await client.clear(chat_id, ClearContext(chat.versions.history), key="k")
        assert (cleared.changed, cleared.chat.status) == (True, "waiting")
        again = await client.clear(chat_id, ClearContext(chat.versions.history), key="k")
        assert (again.repeated, again.chat.versions) == (True, cleared.chat.versions)
        await client.send(chat_id, SendMessage(content="[[echo]] open"))
        await rests(daemon, client, chat_id)
        sent = simulator.requests[-1].body["messages"]
        assert "open" in str(sent)
        assert "secret" not in str(sent)
        roles = [role for role, _ in await history(client, chat_id)]
        assert roles == ["user", "assistant", "system", "user", "assistant"]
        await assert_well(daemon, chat_id)


async def test_a_clear_of_what_has_changed_or_of_a_busy_chat_is_refused() -> None:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (_, client, _sim):
        sent = await client.create_chat(CreateChat(content="hello"))
        seen = sent.chat.versions.history
        for version, code in [(seen - 1, "stale_version"), (seen, "refused")]:
            with pytest.raises(Refused) as refused:
                await client.clear(sent.chat.id, ClearContext(version))
            assert (refused.value.problem.status, refused.value.problem.code) == (409, code)
        assert await client.chat(sent.chat.id) == sent.chat
