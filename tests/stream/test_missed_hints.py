"""Hints only save time: a stream without any tells everything, a little later."""

from __future__ import annotations

import asyncio

import pytest

from palaver.client import Refused
from palaver.wire.chats import CreateChat
from palaver.wire.queue import ChangeChat
from palaverd.config.types import WorkerConfig
from palaverd.pubsub.local import LocalHub
from palaverd.stream.missed_hints import EVERY_S, MissedHints
from stream.stage import Stage
from support.chats import rests
from support.clock import PATIENCE_S, ManualClock, result_of, until
from support.daemon import running_pair
from support.hints import lose_hints
from support.view import View, read_until


async def test_each_commit_whose_hint_is_lost_is_told_by_the_next_look() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        stage = Stage(daemon)
        await stage.create()
        lose_hints(daemon)
        view = View()
        reading = asyncio.create_task(
            read_until(client, stage.chat_id, view, lambda: view.status == "waiting")
        )
        await until(lambda: view.caught_up)

        async def told(snapshot: int) -> None:
            async with asyncio.timeout(PATIENCE_S):
                while view.progress.since != snapshot:  # the last look may not be over
                    clock.advance(EVERY_S)
                    await asyncio.sleep(0.001)

        (await stage.attempt()).open_block("text")
        stage.say(0, "an answer")
        for step in (stage.fail, stage.commit, lambda: stage.send("next")):
            await step()
            await told((await stage.row()).snapshot_version)
        assert view.retry is None
        assert len(view.messages) == 2
        assert len(view.queue) == 1
        reading.cancel()


async def test_a_chat_that_is_deleted_without_a_hint_ends_its_stream() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):
        chat_id = (await client.create_chat(CreateChat("[[echo]] x"))).chat.id
        await rests(daemon, client, chat_id)
        await client.change_chat(chat_id, ChangeChat(archived=True))
        view = View()
        reading = asyncio.create_task(read_until(client, chat_id, view, lambda: False))
        await until(lambda: view.caught_up)
        lose_hints(daemon)
        await client.delete_chat(chat_id)
        with pytest.raises(Refused):
            await result_of(reading, clock, EVERY_S)


async def test_a_hint_that_was_not_lost_is_not_published_again() -> None:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, _, _):
        stage = Stage(daemon)
        await stage.create()
        looks = MissedHints(daemon.hub, daemon.database, daemon._clock)
        with daemon.hub.chat(stage.chat_id) as hints, daemon.hub.everything() as all_hints:
            await looks.look()  # there was no hint since it has a subscriber
            assert len(hints.take()) == 1
            all_hints.take()
            await stage.attempt()
            assert len(hints.take()) == 1
            all_hints.take()
            await looks.look()
            assert not hints.waiting
            assert not all_hints.waiting
        assert daemon.hub.published() == {}


async def test_without_subscribers_nothing_is_read() -> None:
    hub, clock = LocalHub(), ManualClock()
    await MissedHints(hub, None, clock).look()  # type: ignore[arg-type]
