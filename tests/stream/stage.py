"""A chat whose answer a test writes, step by step: no worker, but the real database and streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from palaver.wire.actions import EditMessage
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.events import CaughtUp, StreamEvent
from palaver.wire.messages import Part, Text, ToolCall, ToolResult
from palaverd.chatstate.execution import Fence
from palaverd.daemon import Daemon
from palaverd.store.acquisition import acquire_chats
from palaverd.store.history import NewMessage
from palaverd.store.rows import ChatRow
from palaverd.store.sync import load_chat
from palaverd.store.transitions.turn import (
    commit_response,
    commit_results,
    finish_turn,
    record_attempt,
    record_retry,
)
from palaverd.stream.episode import Episode
from palaverd.stream.reader import ChangeReader
from palaverd.stream.subscriber import Subscriber
from palaverd.usecases.history import edit_message
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat, send_message
from support.store import retry_info, taker
from support.view import View

ME = Asker("local")
_decoder = msgspec.json.Decoder(list[StreamEvent])


class Stage:
    """One chat, acquired by the test."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.reader = ChangeReader(daemon.database)
        self.chat_id = ""
        self.episode = Episode("0.0")  # of the current attempt

    async def row(self) -> ChatRow:
        return await self.daemon.database.read(lambda c: load_chat(c, self.chat_id))

    async def _fence(self) -> Fence:
        row = await self.row()
        assert row.runner_id is not None
        return Fence(row.runner_id, row.history_version, row.status)

    async def create(self) -> None:
        """Create and acquire the chat."""
        door = self.daemon.door
        sent = await create_chat(self.daemon.context, ME, CreateChat("go", title="t"))
        self.chat_id = sent.chat.id
        await door.transact_all(lambda c, now: acquire_chats(c, taker(), door.new_id, now))

    async def attempt(self) -> Episode:
        """Begin an attempt."""
        row, fence = await self.row(), await self._fence()
        key = f"{row.history_version}.{row.generation_attempt + 1}"
        self.episode = self.daemon.episodes.begin(self.chat_id, key)
        await self.daemon.door.apply(self.chat_id, lambda c: record_attempt(c, "m"), fence=fence)
        self.daemon.episodes.counts(self.chat_id)
        return self.episode

    def say(self, block: int, text: str) -> None:
        """Append a piece of live output."""
        self.episode.append(block, text)
        self.daemon.episodes.wake(self.chat_id)

    async def fail(self) -> None:
        """End the attempt with a wait for the next one."""
        fence = await self._fence()
        await self.daemon.door.apply(
            self.chat_id, lambda c: record_retry(c, retry_info()), fence=fence
        )

    async def commit(self) -> None:
        """Commit the live output as the model's response."""
        parts: list[Part] = [
            ToolCall(id=block.call_id or "", name=block.name or "", arguments=block.text)
            if block.kind == "tool_call"
            else Text(block.text)
            for block in self.episode.blocks
        ]
        answer = NewMessage(role="assistant", parts=parts, episode=self.episode.key)
        fence = await self._fence()
        await self.daemon.door.apply(
            self.chat_id, lambda c: commit_response(c, answer), fence=fence
        )
        self.daemon.episodes.end(self.chat_id, self.episode)

    async def results(self) -> None:
        """Commit the results of the response's calls."""
        calls = [block.call_id for block in self.episode.blocks if block.kind == "tool_call"]
        results = [ToolResult(call_id=call or "", text="done") for call in calls]
        fence = await self._fence()
        await self.daemon.door.apply(
            self.chat_id, lambda c: commit_results(c, results), fence=fence
        )

    async def finish(self) -> None:
        fence = await self._fence()
        await self.daemon.door.apply(self.chat_id, finish_turn, fence=fence)

    async def send(self, text: str) -> None:
        await send_message(self.daemon.context, self.chat_id, ME, SendMessage(text))

    async def edit(self, message_id: int, text: str) -> None:
        """Edit a message; the answer is begun anew."""
        change = EditMessage(text, (await self.row()).history_version)
        await edit_message(self.daemon.context, self.chat_id, ME, message_id, change)
        self.daemon.episodes.end(self.chat_id, self.episode)

    @asynccontextmanager
    async def reading(self, view: View) -> AsyncIterator[Reading]:
        """Read the stream from where a view is."""
        daemon = self.daemon
        with Subscriber(
            self.chat_id, view.progress, daemon.hub, daemon.episodes, self.reader, daemon._clock
        ) as subscriber:
            await subscriber.check("local")
            frames = subscriber.frames()
            try:
                yield Reading(view, frames)
            finally:
                await frames.aclose()

    async def catch_up(self, view: View) -> list[StreamEvent]:
        """Read the stream until a view has all of it."""
        async with self.reading(view) as reading:
            while not (reading.events and isinstance(reading.events[-1], CaughtUp)):
                await reading.frame()
        return reading.events


class Reading:
    """A view and its connection. `events` is what was new to the view."""

    def __init__(self, view: View, frames: AsyncGenerator[bytes]) -> None:
        self.view = view
        self.events: list[StreamEvent] = []
        self._frames = frames

    async def frame(self) -> None:
        """Read one frame."""
        for event in _decoder.decode(await anext(self._frames)):
            self.events += self.view.take_new(event)
