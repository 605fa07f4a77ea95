"""Hints and reads that are older than what a client was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from palaver.wire.chats import CreateChat
from palaver.wire.events import ChatDeleted, ChatUpdated, WatchEvent
from palaver.wire.queue import ChangeChat
from palaverd.store.acquisition import read_hints
from palaverd.stream.reader import ChangeReader
from palaverd.stream.watch import ListWatcher
from support.chats import rests
from support.clock import PATIENCE_S
from support.daemon import running_pair

T = TypeVar("T")


async def test_a_hint_that_was_read_before_a_change_tells_the_list_nothing() -> None:
    async with running_pair() as (daemon, client, _):
        ids = [(await client.create_chat(CreateChat("[[echo]] x"))).chat.id for _ in range(3)]
        for chat_id in ids:
            await rests(daemon, client, chat_id)
        gone, renamed, other = ids
        await client.change_chat(gone, ChangeChat(archived=True))
        watcher = ListWatcher(
            "local", daemon.hub, daemon.database, daemon._clock, page=10, interval=0
        )
        batches = watcher.events()
        async with asyncio.timeout(PATIENCE_S):
            await anext(batches)
            late = await daemon.database.read(lambda c: read_hints(c, [gone, renamed]))
            await client.delete_chat(gone)
            await client.change_chat(renamed, ChangeChat(title="new"))
            told: list[WatchEvent] = []
            while len(told) < 2:
                told += (await anext(batches))[0]
            for hint in late:
                daemon.hub.publish(hint)
            await client.change_chat(other, ChangeChat(title="other"))
            while len(told) < 3:
                told += (await anext(batches))[0]
        await batches.aclose()
        assert {type(event) for event in told} == {ChatDeleted, ChatUpdated}
        assert [event.chat.title for event in told if isinstance(event, ChatUpdated)] == [
            "new",
            "other",
        ]


async def test_a_first_read_does_not_share_one_that_began_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running_pair() as (daemon, client, _):
        chat_id = (await client.create_chat(CreateChat("[[echo]] x"))).chat.id
        await rests(daemon, client, chat_id)
        reader, read = ChangeReader(daemon.database), daemon.database.read
        done, gate = asyncio.Event(), asyncio.Event()

        async def held(work: Callable[[Connection], T]) -> T:
            found = await read(work)
            done.set()
            await gate.wait()
            return found

        monkeypatch.setattr(daemon.database, "read", held)
        async with asyncio.timeout(PATIENCE_S):
            earlier = asyncio.create_task(reader.read(chat_id, None, 0))
            await done.wait()
            monkeypatch.undo()
            await client.change_chat(chat_id, ChangeChat(title="new"))
            later = await reader.read(chat_id, None, 0)
            gate.set()
            await earlier
        assert later.row.title == "new"
