"""Stop latency: from the request to the committed interruption, while the provider is silent."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from bench.figures import Aim, Effort, Figure, Kind, percentile
from bench.processes import daemon, provider
from palaver.client import Client
from palaver.wire.chats import CreateChat, Interrupt
from palaver.wire.events import CaughtUp, MessageEvent, MessagePartEvent, StatusEvent

STOPS = 60
AIM = Aim(Kind.VALUE_AT_MOST, 100.0)
STALLED = "5 0 600"  # five words, then nothing for ten minutes


async def run(effort: Effort) -> list[Figure]:
    """Stop answers, one after the other, and after each send the same request to its idle chat."""
    async with provider() as url, daemon(url) as served:
        taken, at_rest = [], []
        for _ in range(effort.count(STOPS, 3)):
            stop, again = await _stop_one(served.client)
            taken.append(stop)
            at_rest.append(again)
    against = "the same request when nothing runs"
    return [
        Figure(
            f"stop {name}", percentile(taken, part), "ms", percentile(at_rest, part), against, aim
        )
        for name, part, aim in (("p50", 0.5, None), ("p99", 0.99, AIM))
    ]


async def _stop_one(client: Client) -> tuple[float, float]:
    """Return milliseconds until the interruption arrived, and of a second, ineffective request."""
    sent = await client.create_chat(CreateChat(content=STALLED))
    chat_id = sent.chat.id
    request = Interrupt(turn_version=sent.chat.versions.turn)
    async with aclosing(client.stream(chat_id)) as stream:
        await _until_words(stream)
        began = time.perf_counter()
        await client.interrupt(chat_id, request)
        await _until_stopped(stream)
        stopped = time.perf_counter()
    await client.interrupt(chat_id, request)
    return (stopped - began) * 1000, (time.perf_counter() - stopped) * 1000


async def _until_words(stream: AsyncIterator[Sequence[object]]) -> None:
    """Wait until words of the answer have arrived and the stream has caught up."""
    shown = caught_up = False
    async for batch in stream:
        shown = shown or any(isinstance(item, MessagePartEvent) for item in batch)
        caught_up = caught_up or any(isinstance(item, CaughtUp) for item in batch)
        if shown and caught_up:
            return


async def _until_stopped(stream: AsyncIterator[Sequence[object]]) -> None:
    """Wait for the interrupted answer and for the status of the idle chat, from one commit."""
    saved = False
    async for batch in stream:
        for item in batch:
            if isinstance(item, MessageEvent) and item.message.finish == "interrupted":
                saved = True
            if saved and isinstance(item, StatusEvent) and item.status == "waiting":
                return
