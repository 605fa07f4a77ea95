"""Retry and repair over HTTP: once per key, and nothing is lost."""

from __future__ import annotations

import pytest

from palaver.client import Refused
from palaver.wire.chats import CreateChat
from palaver.wire.queue import Resume
from palaverd.config.types import WorkerConfig
from palaverd.store.tables import chats
from support.chats import assert_well, history, plant_calls, reaches
from support.daemon import running_pair
from support.store import dump


async def test_a_failed_turn_is_tried_again_once_per_key() -> None:
    async with running_pair() as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content="[[401 times=1]] [[echo]] hello"))
        chat_id = sent.chat.id
        failed = await reaches(client, chat_id, "error")
        first = await client.resume(chat_id, Resume(failed.versions.turn), key="k")
        assert first.changed
        await reaches(client, chat_id, "waiting")
        asked = len(simulator.requests)
        again = await client.resume(chat_id, Resume(failed.versions.turn), key="k")
        assert (again.repeated, again.chat.status) == (True, "waiting")
        assert len(simulator.requests) == asked
        assert (await history(client, chat_id))[-1] == ("assistant", "hello")
        await assert_well(daemon, chat_id)


async def test_a_key_of_one_operation_is_refused_for_another() -> None:
    async with running_pair() as (_, client, _sim):
        sent = await client.create_chat(CreateChat(content="[[401]] hello"), key="k")
        failed = await reaches(client, sent.chat.id, "error")
        with pytest.raises(Refused) as refused:
            await client.resume(sent.chat.id, Resume(failed.versions.turn), key="k")
        assert refused.value.problem.code == "idempotency_key_reused"


async def test_a_chat_in_no_state_is_repaired_on_request_and_says_what_was_wrong() -> None:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _):

        def plant(connection):  # type: ignore[no-untyped-def]
            plant_calls(connection, "a", {"one": None})
            connection.execute(chats.update().values(status="waiting", queue_length=3))

        await daemon.database.write(plant)
        repaired = await client.reconcile("a")
        assert repaired.changed
        assert repaired.reason is not None
        assert "queue" in repaired.reason
        assert repaired.chat.status == "error"
        assert repaired.chat.last_error is not None
        assert repaired.chat.last_error.message.endswith(".")
        assert ("user", "first") in await history(client, "a")
        await assert_well(daemon, "a")
        before = await daemon.database.read(dump)
        again = await client.reconcile("a")
        assert (again.changed, again.reason) == (False, "Nothing is wrong with this chat.")
        assert await daemon.database.read(dump) == before
