"""A client that loses its connection at any event ends with what an unbroken one saw."""

from __future__ import annotations

import asyncio

import msgspec

from palaver.wire.events import CaughtUp, MessageEvent, MessagePartEvent, PreviewReset, StreamEvent
from palaverd.config.types import WorkerConfig
from palaverd.store.door import NewChat
from palaverd.store.history import NewUserMessage
from palaverd.store.requests import create_chat
from palaverd.stream.reader import ChangeReader
from palaverd.stream.subscriber import StreamStart, Subscriber
from support.daemon import running_pair

decoder = msgspec.json.Decoder(list[StreamEvent])


class View:
    """What a client shows: messages by id, and the live text of an episode."""

    def __init__(self) -> None:
        self.messages: dict[int, str] = {}
        self.live: dict[int, str] = {}
        self.episode: str | None = None
        self.since: int | None = None
        self.at = (0, 0)

    def apply(self, event: StreamEvent) -> None:
        match event:
            case MessageEvent(message, replaces):
                self.messages[message.id] = "".join(getattr(p, "text", "") for p in message.parts)
                if replaces == self.episode:
                    self.live, self.episode, self.at = {}, None, (0, 0)
            case MessagePartEvent():
                if event.episode != self.episode:
                    self.live, self.episode = {}, event.episode
                text = self.live.get(event.block, "")
                assert event.offset == len(text), "a gap or an echo"
                self.live[event.block] = text + event.delta
                self.at = (event.block, len(text) + len(event.delta))
            case PreviewReset():
                self.live, self.episode, self.at = {}, None, (0, 0)
            case CaughtUp(snapshot_version):
                self.since = snapshot_version

    @property
    def start(self) -> StreamStart:
        return StreamStart(self.since, self.episode, *self.at)


async def test_whatever_event_a_client_is_cut_off_at_it_ends_with_the_same() -> None:
    async with running_pair() as (daemon, _client, _sim):
        reader = ChangeReader(daemon.database)

        def subscriber(start: StreamStart, chat_id: str) -> Subscriber:
            return Subscriber(chat_id, start, daemon.hub, daemon.episodes, reader, daemon._clock)

        for cut_every in (1, 2, 3, 7):
            sent = await create_chat(
                daemon.door,
                NewChat(owner="local", title="t"),
                NewUserMessage(f"[[length=120]] number {cut_every}"),
                None,
            )
            view = View()
            async with asyncio.timeout(5):
                while not (len(view.messages) == 2 and view.episode is None):
                    seen = 0
                    frames = subscriber(view.start, sent.chat.id).frames()
                    async for frame in frames:
                        for event in decoder.decode(frame):
                            view.apply(event)
                            seen += 1
                            if seen >= cut_every and view.since is not None:
                                break
                        else:
                            if not (len(view.messages) == 2 and view.episode is None):
                                continue
                        break
                    await frames.aclose()
            fresh = View()
            frames = subscriber(StreamStart(), sent.chat.id).frames()
            async for frame in frames:
                for event in decoder.decode(frame):
                    fresh.apply(event)
                if fresh.since is not None:
                    break
            await frames.aclose()
            assert view.messages == fresh.messages
            assert len(view.messages[max(view.messages)]) > 300


async def test_one_commit_costs_one_read_however_many_subscribers_there_are() -> None:
    async with running_pair() as (daemon, _client, _sim):
        sent = await create_chat(
            daemon.door,
            NewChat(owner="local", title="t"),
            NewUserMessage("[[echo]] done"),
            None,
        )
        reader = ChangeReader(daemon.database)
        before = reader.reads
        results = await asyncio.gather(*(reader.read(sent.chat.id, 0, 1) for _ in range(50)))
        assert reader.reads - before == 1
        assert len({id(result) for result in results}) == 1


async def test_streams_leave_nothing_behind() -> None:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, _client, _sim):
        sent = await create_chat(
            daemon.door, NewChat(owner="local", title="t"), NewUserMessage("x"), None
        )
        reader = ChangeReader(daemon.database)
        frames = Subscriber(
            sent.chat.id, StreamStart(), daemon.hub, daemon.episodes, reader, daemon._clock
        ).frames()
        await anext(frames)
        assert daemon.hub.subscriptions == 1
        await frames.aclose()
        assert daemon.hub.subscriptions == 0
