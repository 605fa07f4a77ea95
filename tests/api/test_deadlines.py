"""Calls that no client answers: each is cancelled at its own deadline, on the clock passed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from palaver.client import Client
from palaver.wire.actions import Answers, CallAnswer, LostAnswer
from palaver.wire.messages import ToolResult
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.calls import CANCELLED
from palaverd.store.codec import to_ms
from palaverd.store.transitions.required_action import TOO_LATE
from support.chats import assert_well, plant_calls, reaches
from support.clock import PATIENCE_S, START, ManualClock, until
from support.daemon import running_pair

TURN = 3  # of a chat written by the test
SOON, LATER = 60, 90  # seconds after the start


@asynccontextmanager
async def asked(**seconds: int | None) -> AsyncIterator[tuple[Daemon, Client, ManualClock]]:
    """A chat held by a worker that waits for calls, each with its deadline."""
    clock = ManualClock()
    deadlines = {
        call: None if after is None else to_ms(START) + after * 1000
        for call, after in seconds.items()
    }
    # A clock that jumps must not look like a worker that missed its lease's renewal.
    patient = WorkerConfig(lease_seconds=3600)
    async with running_pair(clock=clock, worker=patient) as (daemon, client, _):
        await daemon.database.write(lambda c: plant_calls(c, "a", deadlines))
        # No hint announced it: the timer finds it.
        await until(lambda: 1.0 in clock.waits())
        clock.advance(1.0)
        await until(lambda: daemon.worker.running == 1)
        yield daemon, client, clock


async def results(client: Client) -> dict[str, str]:
    page = await client.messages("a")
    parts = [p for m in page.messages for p in m.parts if isinstance(p, ToolResult)]
    return {part.call_id: part.text for part in parts}


async def pass_time(clock: ManualClock, second: int) -> None:
    """Advance to a second after the start, once the worker waits for it."""
    left = second - clock.monotonic()
    await until(lambda: any(abs(wait - left) < 1e-6 for wait in clock.waits()))
    clock.advance(left - 0.5)
    clock.advance(0.5)


async def test_a_call_is_cancelled_at_its_deadline_and_the_chat_goes_on() -> None:
    async with asked(one=SOON) as (daemon, client, clock):
        left = SOON - clock.monotonic()
        await until(lambda: any(abs(wait - left) < 1e-6 for wait in clock.waits()))
        clock.advance(left - 0.001)
        assert (await client.chat("a")).status == "requires_action"
        clock.advance(0.002)
        # The model is told, and answers.
        await reaches(client, "a", "waiting")
        assert await results(client) == {"one": TOO_LATE}
        await assert_well(daemon, "a")


async def test_each_call_has_its_own_deadline_and_one_without_any_waits_on() -> None:
    async with asked(one=SOON, two=LATER, three=None) as (daemon, client, clock):
        await pass_time(clock, SOON)
        await pass_time(clock, LATER)
        late = Answers(TURN, [CallAnswer("one", text="x"), CallAnswer("two", text="y")])

        async def lost() -> list[LostAnswer]:
            return (await client.answer_calls("a", late)).lost

        # The worker wrote the second cancellation when only the third call is open.
        async with asyncio.timeout(PATIENCE_S):
            while (chat := await client.chat("a")).versions.snapshot < 8:
                await asyncio.sleep(0.005)
        assert chat.status == "requires_action"
        assert await lost() == [LostAnswer("one", CANCELLED), LostAnswer("two", CANCELLED)]
        given = Answers(TURN, [CallAnswer("three", text="in time")])
        assert (await client.answer_calls("a", given)).open_calls == []
        await reaches(client, "a", "waiting")
        assert await results(client) == {"one": TOO_LATE, "two": TOO_LATE, "three": "in time"}
        await assert_well(daemon, "a")


async def test_an_answer_in_time_wins_over_the_deadline() -> None:
    async with asked(one=SOON) as (daemon, client, clock):
        await until(lambda: any(abs(wait - (SOON - 1)) < 1e-6 for wait in clock.waits()))
        await client.answer_calls("a", Answers(TURN, [CallAnswer("one", text="in time")]))
        await reaches(client, "a", "waiting")
        clock.advance(SOON)
        assert await results(client) == {"one": "in time"}
        await assert_well(daemon, "a")
