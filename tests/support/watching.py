"""A client that shows the chat list, from the events of `watch` alone."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from types import TracebackType

from palaver.client import Client
from palaver.client.connection_events import Connected, ConnectionLost
from palaver.wire.chats import Chat
from palaver.wire.events import ChatCreated, ChatDeleted, ChatUpdated, ListSnapshot, WatchEvent


class Watching:
    """Follows the list within an `async with` block.

    `chats` is what it shows, `events` what it was told, and `connections` how often it connected.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._task: asyncio.Task[None] | None = None
        self.chats: dict[str, Chat] = {}
        self.events: list[WatchEvent] = []
        self.connections = 0

    async def __aenter__(self) -> Watching:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _follow(self) -> None:
        async with aclosing(self._client.watch()) as batches:
            async for batch in batches:
                for event in batch:
                    if isinstance(event, Connected | ConnectionLost):
                        self.connections += isinstance(event, Connected)
                    else:
                        self.events.append(event)
                        self._show(event)

    def _show(self, event: WatchEvent) -> None:
        match event:
            case ListSnapshot(chats):
                self.chats = {chat.id: chat for chat in chats}
            case ChatCreated(chat) | ChatUpdated(chat):
                self.chats[chat.id] = chat
            case ChatDeleted(chat_id):
                self.chats.pop(chat_id, None)
            case _:
                pass
