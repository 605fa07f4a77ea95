"""A limit counts for a turn, however many tasks worked on it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from failures.leases import LONG_LEASES
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaverd.config.types import Config
from palaverd.failures.fallback import Tried
from palaverd.failures.spent import Spent, spent
from palaverd.simulator import Simulator
from palaverd.store.rows import ChatRow
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import running_daemon, short_dir, simulator_config
from support.scene import Scene


def at(seconds: float, outcome: str | None = "overloaded") -> Tried:
    return Tried("m", outcome, int(seconds * 1000))


@pytest.mark.parametrize(
    ("tried", "now", "expected"),
    [
        ([], 100, Spent(0)),
        ([at(100)], 130, Spent(30)),
        ([at(100), at(110), at(140)], 200, Spent(100)),
        ([at(100), at(110, None)], 130, Spent(30)),
        # The daemon did not run for a day.
        ([at(100), at(110)], 110 + 86_400, Spent(10 + 600)),
        ([at(100), at(110 + 86_400)], 120 + 86_400, Spent(600 + 10)),
        # The wall clock was set back.
        ([at(100), at(50)], 60, Spent(10)),
        # Loading does not count as time of attempts; it has its own limit.
        ([at(100, "loading")], 130, Spent(0, 30)),
        ([at(100), at(110, "loading"), at(120, "loading")], 130, Spent(10, 20)),
        ([at(100), at(110, "loading"), at(120)], 130, Spent(20)),
        ([at(100, "loading"), at(110), at(120, "loading")], 130, Spent(10, 10)),
    ],
)
def test_the_time_of_attempts_and_of_loading_is_read_from_the_journal(
    tried: list[Tried], now: int, expected: Spent
) -> None:
    assert spent(tried, now * 1000, 600) == expected


def config(simulator: Simulator) -> Config:
    """A model that is retried for two minutes, and may take one to load."""
    made = simulator_config(simulator.url, worker=LONG_LEASES)
    model = msgspec.structs.replace(made.models["sonnet"], max_attempts=99, max_retry_seconds=120)
    provider = msgspec.structs.replace(made.providers["anthropic"], startup_seconds=60)
    return msgspec.structs.replace(
        made, models={"sonnet": model}, providers={"anthropic": provider}
    )


async def failed(s: Scene, attempts: int) -> ChatRow:
    """Return the chat when its attempts, so many, have failed."""
    row = await s.row()
    async with asyncio.timeout(PATIENCE_S):
        while row.status != "error" and (row.generation_attempt < attempts or row.retry is None):
            await asyncio.sleep(0.005)
            row = await s.row()
    return row


@pytest.mark.parametrize(
    ("prompt", "least", "most"),
    [("[[529 times=99]] x", 60, 120), ("[[loading times=99]] x", 60, 70)],
)
async def test_a_limit_holds_over_many_daemons_that_each_tried_a_few_times(
    prompt: str, least: float, most: float
) -> None:
    clock, row, attempts = ManualClock(), None, 0
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        chat_id = ""
        while row is None or row.status != "error":
            assert clock.monotonic() < most
            async with (
                running_daemon(folder, config(simulator), clock) as daemon,
                Client(Endpoint(socket=daemon.socket)) as client,
            ):
                chat_id = chat_id or (await client.create_chat(CreateChat(prompt))).chat.id
                s = Scene(daemon, client, simulator, clock, chat_id)
                for _ in range(3):
                    if row is not None and row.retry is not None:
                        left = (row.retry.retrying_at - clock.now()).total_seconds()
                        await until(lambda: any(abs(w - left) < 0.01 for w in clock.waits()))  # noqa: B023
                        clock.advance(left + 0.001)
                    attempts += 1
                    row = await failed(s, attempts)
                    if row.status == "error":
                        break
    assert least <= clock.monotonic() <= most
