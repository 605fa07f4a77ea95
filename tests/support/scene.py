"""One chat of a running daemon, on a clock that a test advances."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from palaver.client import Client
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.messages import Text
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from palaverd.store.check import violations
from palaverd.store.rows import ChatRow
from palaverd.store.sync import load_chat
from support import clock as waiting
from support.clock import ManualClock
from support.daemon import running_pair


class Scene:
    """One chat of a running daemon, and its manual clock."""

    def __init__(
        self,
        daemon: Daemon,
        client: Client,
        simulator: Simulator,
        clock: ManualClock,
        chat_id: str,
    ) -> None:
        self.daemon = daemon
        self.simulator = simulator
        self.client = client
        self.clock = clock
        self.chat_id = chat_id

    async def row(self) -> ChatRow:
        wrong = await self.daemon.database.read(lambda c: violations(c, self.chat_id))
        assert wrong == []
        return await self.daemon.database.read(lambda c: load_chat(c, self.chat_id))

    async def reaches(self, status: str, *, pace: float = 0.0, **fields: object) -> ChatRow:
        """Wait until the chat has a status; advance the clock by `pace` between checks."""
        row = await self.row()
        try:
            async with asyncio.timeout(waiting.PATIENCE_S):
                while not (
                    row.status == status
                    and all(bool(getattr(row, name)) == value for name, value in fields.items())
                ):
                    self.clock.advance(pace)
                    # Lets the sockets run.
                    await asyncio.sleep(0.005)
                    row = await self.row()
        except TimeoutError:
            raise AssertionError(f"not {status} {fields}: {msgspec.to_builtins(row)}") from None
        return row

    async def texts(self) -> list[str]:
        page = await self.client.messages(self.chat_id)
        return [
            "".join(p.text for p in message.parts if isinstance(p, Text))
            for message in reversed(page.messages)
        ]

    async def send(self, text: str) -> None:
        await self.client.send(self.chat_id, SendMessage(content=text))


@asynccontextmanager
async def scene(first: str, rate: float = 0) -> AsyncIterator[Scene]:
    clock = ManualClock()
    async with running_pair(rate=rate, clock=clock) as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content=first))
        yield Scene(daemon, client, simulator, clock, sent.chat.id)
