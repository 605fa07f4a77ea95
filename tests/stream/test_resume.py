"""A client that is disconnected at any event ends with the same state as an undisturbed one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import msgspec

from palaver.stream.position import Position
from palaver.stream.progress import Progress
from palaver.wire.chats import CreateChat
from palaver.wire.events import (
    CaughtUp,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    StatusEvent,
    StreamEvent,
)
from palaver.wire.messages import Text
from palaver.wire.queue import ChangeChat
from palaverd.chatstate.execution import Fence
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.acquisition import acquire_chats
from palaverd.store.history import NewMessage
from palaverd.store.transitions.turn import commit_response, record_attempt
from palaverd.stream.episode import Episode
from palaverd.stream.reader import ChangeReader
from palaverd.stream.subscriber import Subscriber
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat
from palaverd.usecases.settings import change_chat
from support.daemon import running_pair
from support.store import taker

decoder = msgspec.json.Decoder(list[StreamEvent])


class View:
    """The state of a client: messages by id, and the live text of an episode."""

    def __init__(self) -> None:
        self.messages: dict[int, str] = {}
        self.live: dict[int, str] = {}
        self.episode: str | None = None
        self.since: int | None = None
        self.at: tuple[int, ...] = ()

    def apply(self, event: StreamEvent) -> None:
        match event:
            case MessageEvent(message, replaces):
                self.messages[message.id] = "".join(getattr(p, "text", "") for p in message.parts)
                if replaces == self.episode:
                    self.live, self.episode, self.at = {}, None, ()
            case MessagePartEvent():
                if event.episode != self.episode:
                    self.live, self.episode = {}, event.episode
                text = self.live.get(event.block, "")
                assert event.offset == len(text), "a gap or an echo"
                self.live[event.block] = text + event.delta
                self.at = (len(text) + len(event.delta),)
            case PreviewReset():
                self.live, self.episode, self.at = {}, None, ()
            case CaughtUp(snapshot_version):
                self.since = snapshot_version

    @property
    def start(self) -> Progress:
        at = None if self.episode is None else Position(self.episode, self.at)
        return Progress(self.since, at)


class Stage:
    """A chat whose answer the test writes: no worker, but the real database and streams."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.reader = ChangeReader(daemon.database)
        self.chat_id = ""
        self.fence = Fence("")

    async def begin(self) -> Episode:
        door = self.daemon.door
        sent = await create_chat(self.daemon.context, Asker("local"), CreateChat("go", title="t"))
        self.chat_id = sent.chat.id
        [taken] = await door.transact_all(
            lambda c, now: acquire_chats(c, taker(), door.new_id, now)
        )
        row = taken.row
        assert row.runner_id is not None
        self.fence = Fence(row.runner_id, row.history_version, row.status)
        episode = self.daemon.episodes.begin(self.chat_id, f"{row.history_version}.1")
        await door.apply(self.chat_id, lambda c: record_attempt(c, "m"), fence=self.fence)
        episode.open_block("text")
        return episode

    async def commit(self, episode: Episode) -> None:
        answer = NewMessage(
            role="assistant", parts=[Text(episode.blocks[0].text)], episode=episode.key
        )
        await self.daemon.door.apply(
            self.chat_id, lambda c: commit_response(c, answer), fence=self.fence
        )

    async def connect(self, view: View) -> AsyncGenerator[bytes]:
        daemon = self.daemon
        with Subscriber(
            self.chat_id, view.start, daemon.hub, daemon.episodes, self.reader, daemon._clock
        ) as subscriber:
            await subscriber.check("local")
            async for frame in subscriber.frames():
                yield frame

    async def watch(self, view: View, episode: Episode, deltas: int) -> list[StreamEvent]:
        """Follow the answer live, delta by delta."""
        frames = self.connect(view)
        events: list[StreamEvent] = []
        while not (events and isinstance(events[-1], CaughtUp)):
            events += decoder.decode(await anext(frames))
        for number in range(deltas):
            episode.append(0, f"{number} ")
            self.daemon.episodes.wake(self.chat_id)
            events += decoder.decode(await anext(frames))
        await frames.aclose()
        for event in events:
            view.apply(event)
        return events

    async def catch_up(self, view: View) -> list[StreamEvent]:
        """Connect with the view's progress, and read events until it has caught up."""
        events: list[StreamEvent] = []
        frames = self.connect(view)
        async for frame in frames:
            for event in decoder.decode(frame):
                view.apply(event)
                events.append(event)
            if isinstance(events[-1], CaughtUp):
                break
        await frames.aclose()
        return events


async def test_a_client_cut_off_at_any_event_of_an_answer_ends_with_what_an_unbroken_one_saw() -> (
    None
):
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, _client, _sim):
        stage = Stage(daemon)
        episode = await stage.begin()
        unbroken = View()
        story = await stage.watch(unbroken, episode, 500)
        whole = episode.blocks[0].text

        def cut_at(index: int) -> View:
            view = View()
            for event in story[:index]:
                view.apply(event)
            return view

        assert len(story) > 500
        for index in range(len(story)):
            view = cut_at(index)
            await stage.catch_up(view)
            assert (view.live, view.messages) == ({0: whole}, unbroken.messages)
        await stage.commit(episode)
        await stage.catch_up(unbroken)
        assert (unbroken.live, unbroken.episode) == ({}, None)
        for index in range(0, len(story), 5):
            view = cut_at(index)
            await stage.catch_up(view)
            assert (view.live, view.messages) == ({}, unbroken.messages)


async def test_one_commit_costs_one_read_however_many_subscribers_there_are() -> None:
    async with running_pair() as (daemon, _client, _sim):
        sent = await create_chat(
            daemon.context, Asker("local"), CreateChat("[[echo]] done", title="t")
        )
        reader = ChangeReader(daemon.database)
        before = reader.reads
        results = await asyncio.gather(*(reader.read(sent.chat.id, 0, 1) for _ in range(50)))
        assert reader.reads - before == 1
        assert len({id(result) for result in results}) == 1


async def test_a_commit_that_changes_only_the_row_is_sent_without_a_read() -> None:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, _client, _sim):
        stage = Stage(daemon)
        episode = await stage.begin()
        frames = stage.connect(View())
        events: list[StreamEvent] = []
        while not (events and isinstance(events[-1], CaughtUp)):
            events += decoder.decode(await anext(frames))
        reads = stage.reader.reads
        await change_chat(daemon.context, stage.chat_id, "local", ChangeChat(title="another"))
        [head, *_] = decoder.decode(await anext(frames))
        assert isinstance(head, StatusEvent)
        assert (head.title, stage.reader.reads) == ("another", reads)
        await stage.commit(episode)
        [message, *_] = decoder.decode(await anext(frames))
        assert isinstance(message, MessageEvent)
        assert stage.reader.reads == reads + 1
        await frames.aclose()


async def test_streams_leave_nothing_behind() -> None:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, _client, _sim):
        sent = await create_chat(daemon.context, Asker("local"), CreateChat("x", title="t"))
        reader = ChangeReader(daemon.database)
        with Subscriber(
            sent.chat.id, Progress(), daemon.hub, daemon.episodes, reader, daemon._clock
        ) as subscriber:
            assert daemon.hub.subscriptions == 1
            await subscriber.check("local")
            await anext(subscriber.frames())
            assert reader.reads == 1
        assert daemon.hub.subscriptions == 0
