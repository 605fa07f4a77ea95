"""The memory of a watcher of the chat list."""

from __future__ import annotations

import asyncio

from palaver.wire.chats import CreateChat
from palaver.wire.events import ChatDeleted, WatchEvent
from palaver.wire.queue import ChangeChat
from palaverd.stream.watch import ListWatcher
from support.chats import rests
from support.clock import PATIENCE_S
from support.daemon import running_pair


async def test_a_chat_that_was_deleted_is_told_once_and_forgotten() -> None:
    async with running_pair() as (daemon, client, _):
        watcher = ListWatcher(
            "local", daemon.hub, daemon.database, daemon._clock, page=10, interval=0
        )
        batches = watcher.events()
        try:
            await anext(batches)
            chats = [(await client.create_chat(CreateChat("[[echo]] x"))).chat.id for _ in range(5)]
            for chat_id in chats:
                await rests(daemon, client, chat_id)
            seen: list[WatchEvent] = []
            async with asyncio.timeout(PATIENCE_S):
                while len(watcher._known) < len(chats):
                    seen += (await anext(batches))[0]
                stays, *gone = chats
                for chat_id in gone:
                    await client.change_chat(chat_id, ChangeChat(archived=True))
                    await client.delete_chat(chat_id)
                while sum(isinstance(one, ChatDeleted) for one in seen) < len(gone):
                    seen += (await anext(batches))[0]
            told = [one.chat_id for one in seen if isinstance(one, ChatDeleted)]
            assert sorted(told) == sorted(gone)
            assert watcher._known.keys() == {stays}
        finally:
            await batches.aclose()
