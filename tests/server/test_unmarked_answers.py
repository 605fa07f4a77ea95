"""Answers without a finish word: retried once, then kept, with a notice for the user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from failures.leases import LONG_LEASES
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaver.wire.messages import Message, Text
from palaverd.config.types import Config, ModelConfig, ProviderConfig
from providers.calling import KINDS, Kind
from providers.raw import DONE, RawServer, answer, chat, data, messages, raw_server, responses
from support.clock import PATIENCE_S, ManualClock
from support.daemon import running_daemon, short_dir

WORDS = ("Hello ", "world.")


def unmarked(kind: Kind) -> bytes:
    """Return an answer that ends properly, without a finish word."""
    if kind == "anthropic":
        return answer(data(*messages(*WORDS, finish=None)))
    if kind == "openai":
        return answer(data(*responses(*WORDS)[:-1], DONE))
    return answer(data(*chat(*WORDS, finish=None), DONE))


@asynccontextmanager
async def daemon_with(
    kind: Kind, attempts: int, *answers: bytes
) -> AsyncIterator[tuple[ManualClock, Client, RawServer]]:
    async with short_dir() as folder, raw_server(*answers) as server:
        url = server.url if kind == "anthropic" else f"{server.url}/v1"
        config = Config(
            worker=LONG_LEASES,
            default_model="m",
            providers={"p": ProviderConfig(kind=kind, base_url=url, api_key="sim")},
            models={"m": ModelConfig(provider="p", model="m", max_attempts=attempts)},
        )
        async with (
            running_daemon(folder, config, clock := ManualClock()) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            yield clock, client, server


async def told(clock: ManualClock, client: Client) -> list[Message]:
    """Send a prompt, let waits pass, and return the messages after it, oldest first."""
    chat_id = (await client.create_chat(CreateChat(content="hi"))).chat.id
    async with asyncio.timeout(PATIENCE_S):
        while (now := await client.chat(chat_id)).status != "waiting":
            assert now.last_error is None
            if now.retry is not None:
                clock.advance(now.retry.delay_ms / 1000)
            await asyncio.sleep(0.005)
    return (await client.messages(chat_id)).messages[-2::-1]


def text(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Text))


@pytest.mark.parametrize("kind", KINDS)
async def test_it_is_asked_for_once_more_then_kept(kind: Kind) -> None:
    async with daemon_with(kind, 4, unmarked(kind)) as (clock, client, server):
        (kept,) = await told(clock, client)
        assert (text(kept), kept.finish) == ("Hello world.", "unknown")
        assert server.requests == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_it_is_kept_at_once_where_nobody_may_ask_again(kind: Kind) -> None:
    async with daemon_with(kind, 1, unmarked(kind)) as (clock, client, server):
        (kept,) = await told(clock, client)
        assert (text(kept), kept.finish) == ("Hello world.", "unknown")
        assert server.requests == 1


async def test_a_whole_answer_takes_its_place() -> None:
    whole = answer(data(*chat("All of it."), DONE))
    kind: Kind = "openai-compatible"
    async with daemon_with(kind, 4, unmarked(kind), whole) as (clock, client, _):
        (kept,) = await told(clock, client)
        assert (text(kept), kept.finish) == ("All of it.", "stop")


async def test_a_word_that_is_not_known_is_shown() -> None:
    odd = answer(data(*chat(*WORDS, finish="brand_new"), DONE))
    async with daemon_with("openai-compatible", 4, odd) as (clock, client, server):
        kept, remark = await told(clock, client)
        assert (text(kept), kept.finish) == ("Hello world.", "unknown")
        assert (remark.role, remark.visibility) == ("system", "user")
        assert text(remark) == (
            'p ended this answer with "brand_new", a word that is not known here.'
            " It may not be whole."
        )
        assert server.requests == 1


async def test_an_answer_that_was_given_up_is_asked_for_again() -> None:
    given_up = answer(data(*chat("The answer has", finish="error"), DONE))
    whole = answer(data(*chat("All of it."), DONE))
    async with daemon_with("openai-compatible", 4, given_up, whole) as (clock, client, server):
        (kept,) = await told(clock, client)
        assert (text(kept), kept.finish) == ("All of it.", "stop")
        assert server.requests == 2
