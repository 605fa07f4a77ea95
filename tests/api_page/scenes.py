"""The chats that the examples of docs/api.md are about, in the states that it describes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from palaver.client import Client
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.queue import ChangeChat
from palaverd.daemon import Daemon
from support.chats import plant_calls, reaches
from support.clock import PATIENCE_S

# Long enough not to end by itself; at this rate it costs nothing.
LONG = "[[rate=5]] [[length=5000]] Why is the sky blue?"


class Place(NamedTuple):
    daemon: Daemon
    client: Client


async def answered(place: Place) -> str:
    sent = await place.client.create_chat(CreateChat("Why is the sky blue?"))
    return (await reaches(place.client, sent.chat.id, "waiting")).id


async def failed(place: Place) -> str:
    sent = await place.client.create_chat(CreateChat("[[401]] Why is the sky blue?"))
    return (await reaches(place.client, sent.chat.id, "error")).id


async def busy(place: Place) -> str:
    sent = await place.client.create_chat(CreateChat(LONG))
    return (await reaches(place.client, sent.chat.id, "running")).id


async def queued(place: Place) -> str:
    """Return a busy chat with two messages in its queue."""
    chat_id = await busy(place)
    for text in ("And at night?", "And on Mars?"):
        await place.client.send(chat_id, SendMessage(text))
    return chat_id


async def retrying(place: Place) -> str:
    sent = await place.client.create_chat(CreateChat("[[429 retry-after=60]] hello"))
    async with asyncio.timeout(PATIENCE_S):
        while (await place.client.chat(sent.chat.id)).retry is None:
            await asyncio.sleep(0.005)
    return sent.chat.id


async def asking(place: Place) -> str:
    """Return a chat whose model called a tool that only a client can run."""
    await place.daemon.database.write(lambda c: plant_calls(c, "asking", {"call1": None}))
    return "asking"


async def archived(place: Place) -> str:
    chat_id = await answered(place)
    await place.client.change_chat(chat_id, ChangeChat(archived=True))
    return chat_id


SCENES: dict[str, Callable[[Place], Awaitable[str]]] = {
    "answered": answered,
    "failed": failed,
    "busy": busy,
    "busy, with a queue": queued,
    "waits for a retry": retrying,
    "waits for a tool": asking,
    "archived": archived,
}
