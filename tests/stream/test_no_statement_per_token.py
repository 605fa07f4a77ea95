"""A token on its way from the provider to its readers causes no database statement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple

import pytest

from bench.statements import Statement, recorded
from palaver.client import Client
from palaver.wire.chats import CreateChat
from palaver.wire.events import MessagePartEvent
from palaverd.generation.saving import PARTIAL_INTERVAL_S
from support.clock import ManualClock, until
from support.daemon import running_pair

FEW = 60
MANY = 10 * FEW


class Streaming(NamedTuple):
    """An answer that has stalled after some words: its provider is silent."""

    clock: ManualClock
    between: list[Statement]  # from the first word that was read to the last
    all: list[Statement]  # since the daemon was ready; still growing


async def _read_words(client: Client, words: int, seen: list[Statement]) -> list[Statement]:
    content = f"[[silence after={words}]] [[echo]] {'word ' * 2 * words}"
    sent = await client.create_chat(CreateChat(content=content))
    at_first: int | None = None
    text = ""
    async with aclosing(client.stream(sent.chat.id)) as stream:
        async for batch in stream:
            for event in batch:
                if isinstance(event, MessagePartEvent):
                    at_first = len(seen) if at_first is None else at_first
                    text += event.delta
            if text.count("word") >= words:
                break
    assert at_first is not None
    return seen[at_first:]


@asynccontextmanager
async def streaming(words: int) -> AsyncIterator[Streaming]:
    # On a stopped clock nothing is saved or polled: what remains is caused by the tokens.
    clock = ManualClock()
    with recorded() as seen:
        async with running_pair(rate=2000, clock=clock) as (_, client, _simulator):
            del seen[:]
            yield Streaming(clock, await _read_words(client, words, seen), seen)


@pytest.mark.parametrize("words", [FEW, MANY])
async def test_no_statement_runs_while_tokens_stream(words: int) -> None:
    async with streaming(words) as live:
        assert live.between == []
        assert live.all, "nothing was recorded at all"


async def test_a_second_of_tokens_costs_one_saved_partial() -> None:
    async with streaming(FEW) as live:
        before = len(live.all)
        live.clock.advance(PARTIAL_INTERVAL_S)
        await until(lambda: any("INSERT INTO partials" in s.text for s in live.all[before:]))
        saved = [s for s in live.all[before:] if "INSERT INTO partials" in s.text]
        assert len(saved) == 1
