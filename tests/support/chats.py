"""Chats of a running daemon: wait for a state, read the stream, insert rows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from functools import partial

from sqlalchemy import Connection, insert

from palaver.client import Client
from palaver.client.connection_events import Connected, ConnectionLost
from palaver.wire.chats import Chat
from palaver.wire.events import StreamEvent
from palaver.wire.messages import Message, Text, ToolCall, ToolResult
from palaverd.chatstate.states import State
from palaverd.daemon import Daemon
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.check import violations
from palaverd.store.rows import ChatRow
from palaverd.store.tables import tool_runs
from support.clock import PATIENCE_S, until
from support.store import NOW, add_message, plant


async def reaches(client: Client, chat_id: str, *statuses: str) -> Chat:
    """Wait until a chat has one of these statuses; fail after `PATIENCE_S`."""
    async with asyncio.timeout(PATIENCE_S):
        while (chat := await client.chat(chat_id)).status not in statuses:
            await asyncio.sleep(0.005)
    return chat


async def rests(daemon: Daemon, client: Client, chat_id: str) -> Chat:
    """Wait until a chat is idle and released, so that no version changes by itself."""
    await reaches(client, chat_id, "waiting")
    await until(lambda: daemon.worker.running == 0)
    return await client.chat(chat_id)


async def events_until(
    client: Client, chat_id: str, enough: Callable[[list[StreamEvent]], bool]
) -> list[StreamEvent]:
    """Read a chat's stream until `enough` returns True; fail after `PATIENCE_S`."""
    events: list[StreamEvent] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(client.stream(chat_id)) as stream:
        async for batch in stream:
            events += [e for e in batch if not isinstance(e, Connected | ConnectionLost)]
            if enough(events):
                return events
    raise AssertionError("the stream ended")


def said(message: Message) -> str:
    """Return a message's text, or the ids of the calls that it answers."""
    words = [
        part.text if isinstance(part, Text) else part.call_id
        for part in message.parts
        if isinstance(part, Text | ToolResult)
    ]
    return " ".join(words)


async def history(client: Client, chat_id: str) -> list[tuple[str, str]]:
    """Return roles and texts of a chat, oldest first."""
    page = await client.messages(chat_id)
    return [(message.role, said(message)) for message in reversed(page.messages)]


async def assert_well(daemon: Daemon, *chat_ids: str) -> None:
    """Assert that every given chat keeps the invariants."""
    for chat_id in chat_ids:
        assert await daemon.database.read(partial(violations, chat_id=chat_id)) == []


def plant_member(
    connection: Connection, state: State, chat_id: str, parent: str | None = None, root: str = "a"
) -> ChatRow:
    """Insert one chat of a family, owned by the daemon's user."""
    return plant(
        connection, state, chat_id=chat_id, owner=LOCAL_OWNER, parent_id=parent, root_id=root
    )


def plant_calls(connection: Connection, chat_id: str, deadlines: dict[str, int | None]) -> ChatRow:
    """Insert a chat that waits for answers to calls; `deadlines` by call, in ms since the epoch."""
    row = plant(connection, State.A0, chat_id=chat_id, owner=LOCAL_OWNER)
    calls = [ToolCall(id=call, name="ask", arguments="{}") for call in deadlines]
    add_message(connection, row, "assistant", calls)
    for call, deadline in deadlines.items():
        connection.execute(
            insert(tool_runs).values(
                chat_id=chat_id,
                call_id=call,
                needs="result",
                deadline=deadline,
                requested_at=NOW,
            )
        )
    return row
