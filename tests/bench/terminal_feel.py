"""What users notice: keys during an answer, a resize, opening and reading a long chat."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from bench.figures import Aim, Effort, Figure, Kind, at_most
from bench.terminal_client import CHAT, SIZE, Drawn, Fed, history, shown
from bench.terminal_texts import prose
from palaver.wire.events import CaughtUp, MessageEvent
from palaver.wire.messages import MessagePage
from support.memory import resident_mib
from tui.replay import ReplayClient, chat, status, versions
from tui.screen import Client, client

RATE = 100.0  # tokens per second, while keys are pressed
KEYS, KEY_EVERY_S = 60, 0.08  # a fast typist
RESIZES = 12
LONG, SHORT = 10_000, 10  # messages of the chat that is opened
PAGE = 50  # messages; the daemon's default page
WAIT_S = 60.0  # timeout: longer than anything here takes on any machine

KEY_AIM, RESIZE_AIM = Aim(Kind.VALUE_AT_MOST, 16), Aim(Kind.VALUE_AT_MOST, 150)
ATTACH_AIM = at_most(1.3)
MEMORY_AIM = Aim(Kind.ADDED_AT_MOST, 64)


async def run(effort: Effort) -> list[Figure]:
    """Measure keys, a resize, and a long chat."""
    still, typing = await _keys(effort, streaming=False), await _keys(effort, streaming=True)
    figures = [
        Figure("key to paint while streaming, median", typing, "ms", still, "idle", KEY_AIM),
        await _resize(effort),
    ]
    return figures + await _long(effort)


async def painted(drawn: Drawn, holds: Callable[[], object]) -> None:
    """Wait for the first paint after `holds` has returned true."""
    async with asyncio.timeout(WAIT_S):
        while not holds():
            await asyncio.sleep(0)
        count = drawn.count
        while drawn.count == count:
            await asyncio.sleep(0)


def has_written(fed: Fed, count: int) -> bool:
    return len(fed.client.composer.text) == count


async def _keys(effort: Effort, *, streaming: bool) -> float:
    """Return the median time from a key to the paint that shows it, in milliseconds."""
    taken = []
    count = effort.count(KEYS, 5)
    async with shown(history(20), live=streaming) as fed:
        await fed.frame("".join(prose(1_000)))
        fed.client.composer.focus()
        await fed.client.pilot.pause()
        tokens = prose(round(count * KEY_EVERY_S * RATE * 3)) if streaming else []
        stream = asyncio.create_task(fed.stream(tokens, RATE))
        for number in range(1, count + 1):
            await asyncio.sleep(KEY_EVERY_S)
            began = perf_counter()
            fed.client.tap("x")
            await painted(fed.drawn, partial(has_written, fed, number))
            taken.append(perf_counter() - began)
        stream.cancel()
    return median(taken) * 1000


async def _resize(effort: Effort) -> Figure:
    """Return the CPU time of a change of width with a long and with a short answer in view."""
    used = [await _resized(effort, effort.count(count, 200)) for count in (20_000, 1_000)]
    what = "CPU of a resize, an answer of 20,000 tokens in view"
    return Figure(what, used[0], "ms", used[1], "of 1,000", RESIZE_AIM)


async def _resized(effort: Effort, tokens: int) -> float:
    used = []
    async with shown(history(200)) as fed:
        await fed.frame("".join(prose(tokens)))
        transcript = fed.client.transcript
        for number in range(effort.count(RESIZES, 2)):
            width = SIZE[0] - 10 * (number % 2 + 1)
            before = transcript.viewport.column.width
            began = process_time()
            await fed.client.pilot.resize_terminal(width, SIZE[1])
            async with asyncio.timeout(WAIT_S):
                while transcript.viewport.column.width == before:
                    await asyncio.sleep(0)
            fed.client.app.screen._on_timer_update()
            used.append(process_time() - began)
    return median(used) * 1000


class Paged(ReplayClient):
    """A daemon with a long chat, which it generates page by page."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    async def messages(
        self,
        chat_id: str,
        *,
        before_id: int | None = None,
        after_id: int | None = None,
        limit: int = PAGE,
    ) -> MessagePage:
        if after_id is not None:
            last = min(self.count, after_id + limit)
            return MessagePage(history(last - after_id, after_id + 1), more=last < self.count)
        before = before_id if before_id is not None else self.count + 1
        first = max(1, before - limit)
        return MessagePage(history(before - first, first), more=first > 1)


@asynccontextmanager
async def _opened(count: int) -> AsyncIterator[tuple[Client, Paged, float]]:
    """Open a chat of `count` messages; yield client, daemon, CPU seconds until it was painted."""
    daemon = Paged(count)
    with tempfile.TemporaryDirectory(prefix="pv-bench") as folder:
        async with client(Path(folder), daemon=daemon, size=SIZE) as opened:
            daemon.open(chat(CHAT, "A chat"))
            await opened.pilot.pause()
            drawn = Drawn(opened.app)
            began = process_time()
            page = history(min(PAGE, count), max(1, count + 1 - PAGE))
            daemon.stream_of(CHAT).tell(
                status("waiting", versions=versions(count + 1, count, count)),
                *map(MessageEvent, page),
                CaughtUp(count + 1),
            )
            opened.app.session.open(CHAT)
            await painted(drawn, lambda: opened.transcript.viewport.column.sections)
            yield opened, daemon, process_time() - began


async def _long(effort: Effort) -> list[Figure]:
    used: dict[int, list[float]] = {SHORT: [], LONG: []}
    for _ in range(effort.count(5, 1)):
        for count, taken in used.items():
            async with _opened(count) as (_client, _daemon, cpu):
                taken.append(cpu * 1000)
    attach = Figure(
        f"CPU from opening a chat of {LONG:,} messages to its first paint",
        median(used[LONG]),
        "ms",
        median(used[SHORT]),
        f"of {SHORT}",
        ATTACH_AIM,
    )
    return [attach, await _scroll_through(effort)]


async def _scroll_through(effort: Effort) -> Figure:
    """Scroll a long chat from its end to its start; return the peak memory."""
    count = effort.count(LONG, 200)
    async with _opened(count) as (opened, _daemon, _cpu):
        transcript = opened.transcript
        peak = before = resident_mib(os.getpid())
        async with asyncio.timeout(WAIT_S * 5):
            while opened.view.older or transcript.scroll_offset.y > 0:
                transcript.viewport.move(-SIZE[1])
                await asyncio.sleep(0)
                opened.app.screen._on_timer_update()
                peak = max(peak, resident_mib(os.getpid()))
    what = f"memory while reading {count:,} messages from end to start"
    return Figure(what, peak, "MiB", before, "before", MEMORY_AIM)
