"""A worker that cannot write gives up its chats before another one can have acquired them."""

from __future__ import annotations

from typing import Any

import pytest

from palaver.wire.chats import CreateChat
from palaverd.config.types import WorkerConfig
from palaverd.generation.cancellation import Cause
from palaverd.store.database import DatabaseError
from palaverd.worker.heartbeat import Heartbeat
from palaverd.worker.limits import LEASE_MARGIN
from support.clock import ManualClock, until
from support.daemon import running_pair
from support.scene import Scene

CONFIG = WorkerConfig(heartbeat_seconds=5, lease_seconds=30)
TRUSTED_S = 30 * (1 - LEASE_MARGIN)
STALLS = "[[silence at=text after=3]] [[length=9]] hello"


async def gives_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the database fail after a heartbeat, and check when the task is stopped."""
    clock = ManualClock()
    async with running_pair(clock=clock, worker=CONFIG) as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content=STALLS))
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await until(lambda: daemon.episodes.current(s.chat_id) and simulator.requests)
        [runner] = daemon.worker._runners.values()
        work = runner._work
        assert work is not None
        beats = 0
        real: Any = daemon.database.write

        async def write(*args: object, **kwargs: object) -> object:
            nonlocal beats
            if beats == 2:
                raise DatabaseError("The disk is full.")
            result = await real(*args, **kwargs)
            beats += "heartbeat" in repr(args[0])
            return result

        monkeypatch.setattr(daemon.database, "write", write)
        for beat in (1, 2):
            clock.advance(CONFIG.heartbeat_seconds)
            await until(lambda: beats == beat)  # noqa: B023
        last = clock.monotonic()
        while clock.monotonic() < last + TRUSTED_S - 1:
            assert work.job.cancellation.cause is None
            clock.advance(1)
            await until(clock.waits)
        clock.advance(1)
        await until(work.task.done)
        assert work.job.cancellation.cause is Cause.LEASE_LOST
        assert clock.monotonic() < last + CONFIG.lease_seconds
        # The database works again: the chat is acquired again, by another runner.
        monkeypatch.setattr(daemon.database, "write", real)
        await s.send("[[echo]] and then")
        clock.advance(CONFIG.lease_seconds)
        await until(lambda: len(simulator.requests) == 2)


async def test_a_worker_that_cannot_write_stops_its_tasks_before_their_leases_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await gives_up_in_time(monkeypatch)


async def test_it_would_be_noticed_if_a_worker_believed_in_its_leases_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Heartbeat, "_lost", lambda self: None)
    monkeypatch.setattr("support.clock.PATIENCE_S", 1.0)
    with pytest.raises((AssertionError, TimeoutError)):
        await gives_up_in_time(monkeypatch)


async def test_a_worker_without_chats_writes_no_heartbeat_and_has_no_lease_to_lose() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=CONFIG) as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] hi"))
        await until(lambda: daemon.worker.running == 0 and daemon.episodes.current(sent.chat.id))
        clock.advance(CONFIG.heartbeat_seconds)
        await until(lambda: daemon.worker._heartbeat._timer is None)
