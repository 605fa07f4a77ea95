"""Fifty chats and a provider that is away for a minute: they retry one by one, and all succeed.

Time is virtual; daemon, sockets, SDK and simulator are the real ones.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy import Connection, select

from failures.leases import LONG_LEASES
from palaver.wire.chats import CreateChat, RetryInfo
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from palaverd.store.codec import load_retry
from palaverd.store.tables import chats
from support.clock import ManualClock, until
from support.daemon import running_pair

CHATS, OUTAGE_S, CAP_S, JITTER = 50, 60.0, 60.0, 0.2
# Added to each step of the clock, so that a rounded float is not just before a timer.
HAIR_S = 0.0005
# Without jitter all fifty would retry in the same instant. The last delays are half a minute, so
# that a jitter of a fifth spreads fifty chats over some six seconds: eight a second, plus chance.
MOST_IN_A_SECOND = 20


def waiting(connection: Connection) -> dict[str, RetryInfo | None]:
    """Return every unfinished chat, with the wait that it announces."""
    found = connection.execute(select(chats.c.id, chats.c.retry).where(chats.c.status != "waiting"))
    return {one.id: load_retry(one.retry) for one in found}


def each_has_one(says: list[float], timers: list[float]) -> bool:
    """Return whether each announced wait has a timer of its own within a millisecond."""
    for one in sorted(says):
        near = next((timer for timer in timers if abs(one - timer) < 0.001), None)
        if near is None:
            return False
        timers.remove(near)
    return True


async def settled(daemon: Daemon, clock: ManualClock) -> dict[str, RetryInfo]:
    """Wait until every unfinished chat has a timer of its own, due at the announced time.

    Of its own: of two chats with the same time, one may not be waiting yet.
    """
    while True:
        left = await daemon.database.read(waiting)
        waits = {chat: retry for chat, retry in left.items() if retry is not None}
        now = clock.now()
        says = [(retry.retrying_at - now).total_seconds() for retry in waits.values()]
        # A chat whose timer has fired is about to retry, though another's timer may be near.
        if (
            len(waits) == len(left)
            and min(says, default=1) > 0
            and each_has_one(says, clock.waits())
        ):
            return waits
        await asyncio.sleep(0.002)


def busiest_second(moments: list[float]) -> int:
    ordered = sorted(moments)
    return max(sum(one <= m < one + 1 for m in ordered) for one in ordered)


def has_requests(simulator: Simulator, count: int) -> bool:
    return len(simulator.requests) >= count


@pytest.mark.parametrize(("hint", "least"), [("", 1.0), (" retry-after=20", 20.0)])
async def test_chats_wait_out_an_outage_without_a_stampede(hint: str, least: float) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, simulator_clock=clock, worker=LONG_LEASES) as (
        daemon,
        client,
        simulator,
    ):
        texts: dict[str, str] = {}
        for number in range(CHATS):
            told = f"[[529 lasts={OUTAGE_S:g}{hint}]] [[echo]] chat {number}"
            texts[(await client.create_chat(CreateChat(content=told))).chat.id] = told
        delays: dict[str, list[float]] = defaultdict(list)
        known: dict[str, RetryInfo] = {}
        async with asyncio.timeout(60):
            await until(lambda: len(simulator.requests) == CHATS)
            while left := await settled(daemon, clock):
                for chat, retry in left.items():
                    if known.get(chat) != retry:
                        known[chat] = retry
                        delays[chat].append(retry.delay_ms / 1000)
                asked = len(simulator.requests)
                soonest = min(retry.retrying_at for retry in left.values())
                due = sum(retry.retrying_at == soonest for retry in left.values())
                clock.advance((soonest - clock.now()).total_seconds() + HAIR_S)
                await until(partial(has_requests, simulator, asked + due))

        moments: dict[str, list[float]] = defaultdict(list)
        for request in simulator.requests:
            moments[request.body["messages"][-1]["content"][0]["text"]].append(request.at)
        assert len(moments) == CHATS
        for chat, told in texts.items():
            times = moments[told]
            gaps = [after - before for before, after in pairwise(times)]
            # The announced waits are the real ones.
            assert gaps == pytest.approx(delays[chat], abs=0.002)
            for nth, gap in enumerate(gaps):
                floor = max(least, min(CAP_S, 2.0**nth))
                assert floor <= gap + 0.002
                assert gap <= floor * (1 + JITTER) + 0.002
            assert times[-1] >= OUTAGE_S > times[-2]
        after = [m for times in moments.values() for m in times if m >= OUTAGE_S]
        assert len(after) == CHATS, "nobody asks again after the answer"
        print(f"busiest second: {busiest_second(after)} of {CHATS}")  # noqa: T201
        assert busiest_second(after) <= MOST_IN_A_SECOND
