"""The bounds of a worker: the steps of a turn, its shutdown, and its own bugs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from palaver.wire.chats import CreateChat
from palaverd.chatstate.table import Transition
from palaverd.config.types import GenerationConfig
from palaverd.crashpoints import When
from palaverd.store.acquisition import read_hints
from palaverd.worker import worker as module
from palaverd.worker.limits import ACQUIRE_INTERVAL_S
from support.clock import ManualClock, until
from support.daemon import make_daemon, running_pair
from support.scene import Scene


async def test_a_turn_that_never_ends_is_ended_after_so_many_steps_and_can_be_gone_on_with() -> (
    None
):
    clock = ManualClock()
    bound = GenerationConfig(max_steps=1)
    async with running_pair(clock=clock, generation=bound) as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content="[[tool=look]] hello"))
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        row = await s.reaches("error")
        assert row.last_error is not None
        assert row.last_error.message.startswith("The model was called 1 times")
        assert len(simulator.requests) == 1
        await s.send("[[echo]] go on")
        await s.reaches("waiting")


async def test_a_chat_that_is_acquired_while_the_daemon_stops_is_released_at_once() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, simulator):
        await until(clock.waits)

        def hook(when: When, transitions: Sequence[str]) -> None:
            if when == "after" and Transition.ACQUIRE in transitions:
                daemon.worker._stopping = True  # what a signal does at this moment

        daemon.door._reached = hook
        sent = await client.create_chat(CreateChat(content="[[echo]] hello"))
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await until(lambda: daemon.worker._stopping)
        await daemon.worker.stop()
        row = await s.row()
        assert (row.status, row.runner_id) == ("running", None)
        assert simulator.requests == []


async def test_a_shutdown_in_the_middle_of_an_acquisition_leaves_no_chat_with_a_runner() -> None:
    """The transaction runs in the writer's thread when the worker is stopped."""
    async with running_pair() as (daemon, client, _):
        begun: list[object] = []

        def hook(when: When, transitions: Sequence[str]) -> None:
            if when == "before" and Transition.ACQUIRE in transitions:
                begun.append(transitions)

        daemon.door._reached = hook
        sent = await client.create_chat(CreateChat(content="[[silence at=head]] hello"))
        await until(lambda: begun)
        await daemon.stop()
        again = make_daemon(daemon._data_dir.path, daemon._config)
        await again.database.open(lambda connection: None)
        try:
            chat = await again.database.read(lambda c: read_hints(c, [sent.chat.id]))
            assert [(one.status, one.runner_id) for one in chat] == [("running", None)]
        finally:
            await again.stop()


async def test_a_bug_in_an_acquisition_does_not_end_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, simulator):
        await until(clock.waits)
        real = vars(module)["acquire_chats"]
        broken = [ZeroDivisionError("a bug")]

        def acquire(*args: object) -> object:
            if broken:
                raise broken.pop()
            return real(*args)

        monkeypatch.setattr(module, "acquire_chats", acquire)
        sent = await client.create_chat(CreateChat(content="[[echo]] hello"))
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await until(lambda: not broken)
        await s.reaches("waiting", pace=ACQUIRE_INTERVAL_S / 4)
