"""Palaver as in production: a daemon in its own process, configured for one server."""

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

# The models of the configuration, one for each kind of case.
ANSWERS, SHORT, WRONG_NAME, WRONG_KEY = "answers", "short", "wrong-name", "wrong-key"
ASTRAY = "astray"
# Tokens. An endless answer ends here, after some seconds.
LONG, CUT = 300, 12
# Seconds; a case that takes longer has failed.
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
    """The result of a turn: the answer, the waits before it, the error that ended it."""

    chat: str
    text: str = ""
    thought: str = ""
    finish: str | None = None
    usage: Usage | None = None
    error: ChatError | None = None
    retries: list[ChatError] = []


@asynccontextmanager
async def daemon_for(server: Server, kind: ProviderKind, url: str) -> AsyncIterator[DaemonProcess]:
    """Run a daemon that uses the server at `url` with one protocol."""
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
    """Send a prompt, to a new chat or a known one, and return the outcome."""
    if chat is None:
        chat = (await client.create_chat(CreateChat(content=prompt, model=model))).chat.id
    else:
        await client.send(chat, SendMessage(content=prompt))
    return await outcome(client, chat)


async def outcome(client: Client, chat: str) -> Told:
    """Wait until a chat is idle; return the result of its last turn."""
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
    """Wait for the first output of an answer."""
    async with asyncio.timeout(PATIENCE_S), aclosing(client.stream(chat)) as events:
        async for frame in events:
            if any(isinstance(event, MessagePartEvent) for event in frame):
                return


async def first_wait(client: Client, chat: str) -> ChatError | None:
    """Wait until an attempt failed; return its error. None if the turn ended without one."""
    async with asyncio.timeout(PATIENCE_S), aclosing(client.stream(chat)) as events:
        async for frame in events:
            for event in frame:
                if isinstance(event, RetryEvent) and event.retry is not None:
                    return event.retry.error
            if not busy(await client.chat(chat)):
                return (await client.chat(chat)).last_error
    return None


async def stop(client: Client, chat: str) -> None:
    """Stop a chat's turn."""
    seen = await client.chat(chat)
    await client.interrupt(chat, Interrupt(turn_version=seen.versions.turn))


def busy(chat: Chat) -> bool:
    """Return whether a chat is busy."""
    return chat.status in BUSY


def _take(told: Told, message: Message) -> None:
    told.text = "".join(part.text for part in message.parts if isinstance(part, Text))
    told.thought = "".join(part.text for part in message.parts if isinstance(part, Reasoning))
    told.finish = message.finish
    told.usage = message.usage
