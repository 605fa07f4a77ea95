"""A lost response: aiohttp itself retries a request whose method may be repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from palaver.client import Client, Endpoint, Refused
from palaver.wire.chats import CreateChat, Interrupt, SendMessage
from palaver.wire.queue import ChangeChat
from support.chats import reaches
from support.daemon import running_pair, short_dir


class Thief:
    """A proxy before a daemon's socket; `steal` drops the next responses with their connections."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self.steal = 0
        self.stolen: list[bytes] = []
        self._connections: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task that `close` ends."""
        self._connections.add(asyncio.create_task(self._serve(reader, writer)))

    async def close(self) -> None:
        """End all connections."""
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(str(self._socket))
        asking = asyncio.ensure_future(self._hand_on(reader, forth))
        try:
            while data := await back.read(65536):
                if self.steal:
                    self.steal -= 1
                    self.stolen.append(data)
                    return
                writer.write(data)
                await writer.drain()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            for end in (writer, forth):
                end.close()

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def robbed() -> AsyncIterator[tuple[Thief, Client]]:
    """Run a daemon whose responses can be dropped."""
    async with running_pair(rate=1) as (daemon, _, _), short_dir() as directory:
        assert daemon.socket is not None
        thief = Thief(daemon.socket)
        path = directory / "s"
        server = await asyncio.start_unix_server(thief.accept, str(path))
        try:
            async with server, Client(Endpoint(socket=path)) as client:
                yield thief, client
        finally:
            await thief.close()


async def test_a_message_whose_removal_was_answered_to_nobody_is_handed_over() -> None:
    async with robbed() as (thief, client):
        chat = (await client.create_chat(CreateChat("a long answer"))).chat
        queued = (await client.send(chat.id, SendMessage("and then"))).queued
        assert queued is not None
        thief.steal = 1
        removed = (await client.delete_queued(chat.id, queued.id)).removed
        assert thief.stolen[0].startswith(b"HTTP/1.1 200")
        assert removed is not None
        assert removed.content == "and then"


async def test_a_chat_whose_deletion_was_answered_to_nobody_is_deleted() -> None:
    async with robbed() as (thief, client):
        chat = (await client.create_chat(CreateChat("hello"))).chat
        await client.interrupt(chat.id, Interrupt(turn_version=chat.versions.turn))
        await reaches(client, chat.id, "waiting")
        await client.change_chat(chat.id, ChangeChat(archived=True))
        thief.steal = 1
        await client.delete_chat(chat.id)
        assert thief.stolen[0].startswith(b"HTTP/1.1 204")
        with pytest.raises(Refused) as refused:
            await client.chat(chat.id)
        assert refused.value.problem.code == "chat_not_found"
