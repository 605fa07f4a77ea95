"""Palaver as people have it: a daemon of its own process, configured for one server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import msgspec

from palaver.client import Client
from palaver.wire.chats import BUSY, Chat, CreateChat, Interrupt, SendMessage
from palaver.wire.errors import ChatError
from palaver.wire.events import MessagePartEvent, RetryEvent
from palaver.wire.messages import Message, Reasoning, Text, Usage
from palaverd.config.types import ProviderKind
from servers.catalogue import Server
from support.daemon import short_dir
from support.process import DaemonProcess, started

# A model of a table row for each thing that is tried.
ANSWERS, SHORT, WRONG_NAME, WRONG_KEY = "answers", "short", "wrong-name", "wrong-key"
ASTRAY = "astray"
# Tokens. An answer without an end goes on up to here: some seconds.
LONG, CUT = 300, 12
# A case that takes longer has failed.
PATIENCE_S = 90.0

_CONFIG = """
default_model = "answers"
[providers.server]
kind = "{kind}"
base_url = "{url}"
api_key = "{key}"
[providers.stranger]
kind = "{kind}"
base_url = "{url}"
api_key = "sk-somebody-elses"
[providers.elsewhere]
kind = "{kind}"
base_url = "{url}/v1/chat/completions"
api_key = "{key}"
[models.astray]
provider = "elsewhere"
model = "{model}"
max_attempts = 2
[models.answers]
provider = "server"
model = "{model}"
max_output_tokens = {long}
[models.short]
provider = "server"
model = "{model}"
max_output_tokens = {cut}
max_attempts = 2
[models.wrong-name]
provider = "server"
model = "no-such-model"
max_output_tokens = {long}
max_attempts = 2
[models.wrong-key]
provider = "stranger"
model = "{model}"
max_output_tokens = {long}
max_attempts = 2
"""


class Told(msgspec.Struct):
    """What came of a turn: the answer, the waits before it, the error that ended it."""

    chat: str
    text: str = ""
    thought: str = ""
    finish: str | None = None
    usage: Usage | None = None
    error: ChatError | None = None
    retries: list[ChatError] = []


@asynccontextmanager
async def daemon_for(server: Server, kind: ProviderKind, url: str) -> AsyncIterator[DaemonProcess]:
    """Run a daemon that knows the server at `url` by one protocol."""
    async with short_dir() as data_dir:
        config = _CONFIG.format(
            kind=kind,
            url=url + server.bases[kind],
            key=server.key,
            model=server.model,
            long=LONG,
            cut=CUT,
        )
        (data_dir / "config.toml").write_text(config)
        async with started(data_dir, forked=False) as daemon:
            yield daemon


async def ask(client: Client, prompt: str, model: str = ANSWERS, chat: str | None = None) -> Told:
    """Say something, in a new chat or a known one, and wait for what comes of it."""
    if chat is None:
        chat = (await client.create_chat(CreateChat(content=prompt, model=model))).chat.id
    else:
        await client.send(chat, SendMessage(content=prompt))
    return await outcome(client, chat)


async def outcome(client: Client, chat: str) -> Told:
    """Wait until a chat is at rest, and tell what came of its last turn."""
    told = Told(chat)
    async with asyncio.timeout(PATIENCE_S):
        async with aclosing(client.stream(chat)) as events:
            async for frame in events:
                for event in frame:
                    if isinstance(event, RetryEvent) and event.retry is not None:
                        told.retries.append(event.retry.error)
                if not busy(await client.chat(chat)):
                    break
    now = await client.chat(chat)
    told.error = now.last_error
    last = (await client.messages(chat)).messages[0]
    if last.role == "assistant":
        _take(told, last)
    return told


async def first_word(client: Client, chat: str) -> None:
    """Wait until something of an answer is seen."""
    async with asyncio.timeout(PATIENCE_S), aclosing(client.stream(chat)) as events:
        async for frame in events:
            if any(isinstance(event, MessagePartEvent) for event in frame):
                return


async def first_wait(client: Client, chat: str) -> ChatError | None:
    """Wait until an attempt failed; return why. None where the turn ended without."""
    async with asyncio.timeout(PATIENCE_S), aclosing(client.stream(chat)) as events:
        async for frame in events:
            for event in frame:
                if isinstance(event, RetryEvent) and event.retry is not None:
                    return event.retry.error
            if not busy(await client.chat(chat)):
                return (await client.chat(chat)).last_error
    return None


async def stop(client: Client, chat: str) -> None:
    """Stop what a chat does now."""
    seen = await client.chat(chat)
    await client.interrupt(chat, Interrupt(turn_version=seen.versions.turn))


def busy(chat: Chat) -> bool:
    """Say whether something goes on in a chat."""
    return chat.status in BUSY


def _take(told: Told, message: Message) -> None:
    told.text = "".join(part.text for part in message.parts if isinstance(part, Text))
    told.thought = "".join(part.text for part in message.parts if isinstance(part, Reasoning))
    told.finish = message.finish
    told.usage = message.usage
