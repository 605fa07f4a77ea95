"""Hints only save time: without any, everything still happens, a little later."""

from __future__ import annotations

import pytest

from palaver.wire.chats import CreateChat, Interrupt
from palaverd.store.hints import hint_of
from palaverd.stream.missed_hints import MissedHints
from palaverd.worker.limits import ACQUIRE_INTERVAL_S, SYNC_INTERVAL_S
from palaverd.worker.worker import Worker
from support.clock import ManualClock, until
from support.daemon import running_pair
from support.hints import lose_hints
from support.scene import Scene

STALLS = "[[silence at=text after=3]] [[length=9]] hello"


async def a_stop_without_hints() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, simulator):
        await until(clock.waits)
        lose_hints(daemon)
        sent = await client.create_chat(CreateChat(content=STALLS))
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        # The timer finds what no hint announced.
        row = await s.reaches("running", pace=ACQUIRE_INTERVAL_S / 4, runner_id=True)
        await until(lambda: simulator.requests)
        await client.interrupt(s.chat_id, Interrupt(turn_version=row.turn_version))
        # One query over all held chats.
        await s.reaches("waiting", pace=SYNC_INTERVAL_S / 10)
        await until(lambda: daemon.worker.running == 0)


async def test_a_chat_is_found_and_stopped_although_every_hint_is_lost() -> None:
    await a_stop_without_hints()


@pytest.mark.parametrize("timer", ["_acquire", "_sync"])
async def test_it_would_be_noticed_if_nobody_looked_by_himself(
    timer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(self: object) -> None:
        pass

    monkeypatch.setattr(Worker, timer, nothing)
    monkeypatch.setattr(MissedHints, "look", nothing)  # it finds commits of held chats, too
    monkeypatch.setattr("support.clock.PATIENCE_S", 1.0)
    with pytest.raises((AssertionError, TimeoutError)):
        await a_stop_without_hints()


async def test_a_hint_that_comes_with_the_timer_does_not_keep_the_worker_from_looking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    looks: list[int] = []  # the running ones: between two of them the timer is set
    acquire = Worker._acquire

    async def counted(self: Worker) -> None:
        looks.append(1)
        try:
            await acquire(self)
        finally:
            looks.pop()

    monkeypatch.setattr(Worker, "_acquire", counted)
    async with running_pair(clock=clock) as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content=STALLS))
        held = Scene(daemon, client, simulator, clock, sent.chat.id)
        await until(lambda: simulator.requests)
        row = await held.reaches("running", runner_id=True)
        lose_hints(daemon)
        await client.create_chat(CreateChat(content=STALLS))
        await until(lambda: not looks)
        # Before any task wakes, both have happened: the timer, and a change of a held chat.
        clock.advance(ACQUIRE_INTERVAL_S)
        daemon.hub.publish(hint_of(row))
        await until(lambda: len(simulator.requests) == 2)
