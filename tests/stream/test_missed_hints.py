"""Hints only save time: a stream without any tells everything, a little later."""

from __future__ import annotations

import asyncio

import pytest

from palaver.client import Client, Refused
from palaver.wire.chats import CreateChat
from palaver.wire.events import ChatDeleted
from palaver.wire.queue import ChangeChat
from palaverd.api import limits
from palaverd.api.limits import WATCH_INTERVAL_S
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.pubsub.local import LocalHub
from palaverd.stream.missed_hints import EVERY_S, MissedHints
from stream.stage import Stage
from support.chats import rests
from support.clock import PATIENCE_S, ManualClock, result_of, until
from support.daemon import running_pair
from support.hints import lose_hints
from support.view import View, read_until
from support.watching import Watching


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


async def resting(daemon: Daemon, client: Client, title: str) -> str:
    """Create a chat with an answer; return its id."""
    chat_id = (await client.create_chat(CreateChat("[[echo]] x", title=title))).chat.id
    await rests(daemon, client, chat_id)
    return chat_id


async def test_a_list_without_any_hint_shows_everything_a_little_later() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):
        made = []
        for number in range(5):
            made.append(await resting(daemon, client, f"{number}"))
            clock.advance(1)  # the list is in the order of activity
        oldest, second, third, *_ = made
        # What a watcher is told first has two chats: the others are older.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(limits, "WATCH_PAGE", 2)
            async with Watching(client) as watching:
                await until(lambda: watching.chats.keys() == set(made[-2:]))
                lose_hints(daemon)
                new = (await client.create_chat(CreateChat("x", title="new"))).chat.id
                await client.change_chat(made[-1], ChangeChat(title="renamed"))
                await client.change_chat(oldest, ChangeChat(title="an old one, renamed"))
                for chat_id in (second, third, made[-2]):
                    await client.change_chat(chat_id, ChangeChat(archived=True))
                await client.delete_chat(second)
                await client.delete_chat(made[-2])

                clock.advance(EVERY_S)  # one look, in which no read is late

                def shown() -> bool:
                    clock.advance(WATCH_INTERVAL_S / 25)
                    return watching.chats.keys() == {new, made[-1], oldest, third}

                await until(shown)
                assert watching.chats[new].title == "new"
                assert watching.chats[made[-1]].title == "renamed"
                assert watching.chats[oldest].title == "an old one, renamed"
                assert watching.chats[third].archived
                told = {one.chat_id for one in watching.events if isinstance(one, ChatDeleted)}
                assert told == {second, made[-2]}
                assert watching.connections == 1


async def test_a_list_that_was_told_everything_gets_no_hint_again() -> None:
    async with running_pair() as (daemon, client, _):
        made = [await resting(daemon, client, f"{n}") for n in range(3)]
        looks = MissedHints(daemon.hub, daemon.database, daemon._clock)
        async with Watching(client) as watching:
            await until(lambda: len(watching.chats) == len(made))
            new = (await client.create_chat(CreateChat("x", title="new"))).chat.id
            await client.change_chat(made[0], ChangeChat(title="renamed"))
            await client.change_chat(made[1], ChangeChat(archived=True))
            await client.delete_chat(made[1])
            await until(lambda: watching.chats.keys() == {new, made[0], made[2]})
            with daemon.hub.everything() as all_hints:
                await looks.look()
                assert not all_hints.waiting
        await until(lambda: daemon.hub.listed() == {})
