"""A client that is disconnected at any event ends with the same state as an undisturbed one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from palaver.stream.progress import Progress
from palaver.wire.chats import CreateChat
from palaver.wire.events import (
    CaughtUp,
    HistoryTruncated,
    Incomplete,
    MessageEvent,
    MessagePartEvent,
    PreviewReset,
    QueueUpdate,
    RetryEvent,
    StatusEvent,
    StreamEvent,
)
from palaver.wire.messages import ToolCall, ToolResult
from palaver.wire.queue import ChangeChat
from palaverd.config.types import WorkerConfig
from palaverd.stream.reader import ChangeReader
from palaverd.stream.registry import LINGER_S
from palaverd.stream.subscriber import Subscriber
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat
from palaverd.usecases.settings import change_chat
from stream.stage import Stage
from support.clock import PATIENCE_S, ManualClock
from support.daemon import running_pair
from support.view import View

NO_WORKER = WorkerConfig(enabled=False)
CALLS = 3


async def story(stage: Stage) -> AsyncIterator[None]:
    """Play an answer with a retry, tool calls written in turn, and an edit; pause after each step.

    It has more than 500 events.
    """
    first = (await stage.attempt()).open_block("text")
    yield
    for number in range(80):
        stage.say(first, f"{number} ")
        yield
    await stage.fail()
    yield
    second = await stage.attempt()
    yield
    for block, kind in enumerate(("reasoning", "text")):
        second.open_block(kind)  # type: ignore[arg-type]
        for number in range(70):
            stage.say(block, f"{kind} {number}, ")
            yield
    for call in range(CALLS):
        second.open_block("tool_call", name="read", call_id=f"call-{call}")
        stage.daemon.episodes.wake(stage.chat_id)
        yield
    for number in range(120):
        stage.say(2 + number % CALLS, f"{number};")
        yield
    await stage.commit()
    yield
    await stage.results()
    yield
    third = (await stage.attempt()).open_block("text")
    yield
    await stage.send("and another")
    yield
    for number in range(60):
        stage.say(third, f"{number} ")
        yield
    await stage.edit(1, "go elsewhere")
    yield
    last = (await stage.attempt()).open_block("text")
    yield
    for number in range(120):
        stage.say(last, f"{number} ")
        yield
    await stage.commit()
    yield
    await stage.finish()
    yield


async def all_read(stage: Stage, view: View) -> bool:
    """Return whether a view has the chat's snapshot and all of its live output."""
    row = await stage.row()
    shown = {number: block.text for number, block in view.live.items()}
    live = {
        number: block.text
        for number, block in enumerate(stage.episode.blocks)
        if block.text or block.kind == "tool_call"  # others begin with their first text
    }
    over = row.generation_attempt == 0 or row.status != "running"
    return view.progress.since == row.snapshot_version and shown == ({} if over else live)


def after(events: list[StreamEvent]) -> View:
    """Return the view of a client that was cut off after these events.

    The first snapshot is one frame, so it has all of that or nothing.
    """
    view = View()
    if any(isinstance(event, StatusEvent) for event in events):
        view.take_all(events)
    return view


async def test_a_client_cut_off_at_any_event_of_an_answer_ends_with_what_an_unbroken_one_saw() -> (
    None
):
    """At each event three clients come back: one that has all, half, and a tenth of the events.

    In the end, a client comes back that was cut off at each of the events.
    """
    async with running_pair(worker=NO_WORKER) as (daemon, _client, _sim):
        stage = Stage(daemon)
        await stage.create()
        unbroken = View()
        async with asyncio.timeout(10 * PATIENCE_S), stage.reading(unbroken) as reading:
            async for _ in story(stage):
                while not await all_read(stage, unbroken):
                    await reading.frame()
                told = len(reading.events)
                for had in (told, told // 2, told // 10):
                    view = after(reading.events[:had])
                    await stage.catch_up(view)
                    assert view.shown == unbroken.shown, f"cut off after {had} of {told}"
        events = reading.events
        assert len(events) > 500
        kinds = {type(event) for event in events}
        assert kinds >= {RetryEvent, PreviewReset, HistoryTruncated, MessagePartEvent, MessageEvent}
        replaced = [event.message for event in events if isinstance(event, MessageEvent)]
        parts = [part for message in replaced for part in message.parts]
        assert sum(isinstance(part, ToolCall) for part in parts) == CALLS
        assert sum(isinstance(part, ToolResult) for part in parts) == CALLS
        assert [message.role for message in unbroken.messages.values()] == ["user", "assistant"]
        assert not unbroken.live
        for cut in range(len(events)):
            view = after(events[:cut])
            await stage.catch_up(view)
            assert view.shown == unbroken.shown, f"cut off after {cut}"


async def test_output_that_is_gone_is_said_to_be_and_read_again() -> None:
    """It was evicted, or belongs to a daemon that was restarted: the log is not there."""
    clock = ManualClock()
    async with running_pair(worker=NO_WORKER, clock=clock) as (daemon, _client, _sim):
        stage = Stage(daemon)
        await stage.create()
        (await stage.attempt()).open_block("text")
        for word in ("never ", "to be ", "seen again"):
            stage.say(0, word)
        had, nothing = View(), View()
        await stage.catch_up(had)
        assert had.live
        daemon.episodes.end(stage.chat_id, stage.episode)
        clock.advance(LINGER_S)
        assert Incomplete(stage.episode.key) in await stage.catch_up(had)
        assert Incomplete(stage.episode.key) not in await stage.catch_up(nothing)
        assert had.live == nothing.live == {}
        (await stage.attempt()).open_block("text")
        stage.say(0, "another attempt")
        for view in (had, nothing):
            events = await stage.catch_up(view)
            assert not any(isinstance(event, Incomplete) for event in events)
            assert [block.text for block in view.live.values()] == ["another attempt"]


async def test_a_position_beyond_the_log_is_read_again_from_its_beginning() -> None:
    """As by a client of a daemon whose database was restored from a backup."""
    async with running_pair(worker=NO_WORKER) as (daemon, _client, _sim):
        stage = Stage(daemon)
        await stage.create()
        (await stage.attempt()).open_block("text")
        for text, read in (("short", (9,)), ("", (5, 1)), (" one", (1, 0, 0, 2))):
            stage.say(0, text)
            view = View()
            await stage.catch_up(view)
            assert view.progress.at is not None
            view.progress = Progress(
                view.progress.since, type(view.progress.at)(stage.episode.key, read)
            )
            events = await stage.catch_up(view)
            assert Incomplete(stage.episode.key) in events
            assert view.live[0].text == stage.episode.blocks[0].text


@pytest.mark.parametrize("renamed", [False, True])
async def test_a_slow_reader_gets_the_rest_of_output_that_is_evicted_meanwhile(
    renamed: bool,
) -> None:
    clock = ManualClock()
    async with running_pair(worker=NO_WORKER, clock=clock) as (daemon, _client, _sim):
        stage = Stage(daemon)
        await stage.create()
        (await stage.attempt()).open_block("text")
        view = View()
        async with stage.reading(view) as reading:
            await reading.frame()  # the snapshot, with the name of the episode
            stage.say(0, "the whole text")
            daemon.episodes.end(stage.chat_id, stage.episode)
            clock.advance(LINGER_S)
            assert daemon.episodes.current(stage.chat_id) is None
            if renamed:
                await change_chat(daemon.context, stage.chat_id, "local", ChangeChat(title="new"))
            while not isinstance(reading.events[-1], CaughtUp):
                await reading.frame()
        assert view.live[0].text == "the whole text"


async def test_who_has_all_after_the_first_read_is_told_so_in_the_first_frame() -> None:
    async with running_pair(worker=NO_WORKER) as (daemon, _client, _sim):
        stage = Stage(daemon)
        await stage.create()
        async with stage.reading(View()) as reading:
            await reading.frame()
            assert isinstance(reading.events[-1], CaughtUp)
        (await stage.attempt()).open_block("text")
        stage.say(0, "said")
        view = View()
        async with stage.reading(view) as reading:
            await reading.frame()
            assert CaughtUp not in map(type, reading.events)
            while not isinstance(reading.events[-1], CaughtUp):
                await reading.frame()
            assert view.live[0].text == "said"


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
    async with running_pair(worker=NO_WORKER) as (daemon, _client, _sim):
        stage = Stage(daemon)
        await stage.create()
        (await stage.attempt()).open_block("text")
        stage.say(0, "x")
        async with stage.reading(View()) as reading:
            while not (reading.events and isinstance(reading.events[-1], CaughtUp)):
                await reading.frame()
            reads, told = stage.reader.reads, len(reading.events)
            await change_chat(daemon.context, stage.chat_id, "local", ChangeChat(title="another"))
            await reading.frame()
            head = reading.events[told]
            assert isinstance(head, StatusEvent)
            assert (head.title, stage.reader.reads) == ("another", reads)
            told = len(reading.events)
            await stage.commit()
            await reading.frame()
            assert isinstance(reading.events[told], MessageEvent)
            assert stage.reader.reads == reads + 1


async def test_five_hundred_subscribers_cost_one_read_and_one_encoding_of_each_change() -> None:
    async with running_pair(worker=NO_WORKER) as (daemon, _client, _sim), AsyncExitStack() as stack:
        stage, reader = Stage(daemon), ChangeReader(daemon.database)
        stage.reader = reader
        await stage.create()
        (await stage.attempt()).open_block("text")
        stage.say(0, "said")
        readings = await asyncio.gather(
            *(stack.enter_async_context(stage.reading(View())) for _ in range(500))
        )
        assert reader.reads == 1  # they came before it had begun
        await asyncio.gather(*(reading.frame() for reading in readings))
        assert reader.encoded == 1
        for reading in readings:
            while not isinstance(reading.events[-1], CaughtUp):
                await reading.frame()
        wait = [asyncio.create_task(reading.frame()) for reading in readings]
        await stage.commit()
        await asyncio.gather(*wait)
        assert (reader.reads, reader.encoded) == (2, 2)
        wait = [asyncio.create_task(reading.frame()) for reading in readings]
        await change_chat(daemon.context, stage.chat_id, "local", ChangeChat(title="another"))
        await asyncio.gather(*wait)
        assert (reader.reads, reader.encoded) == (2, 3)
        told = [[type(event) for event in reading.events] for reading in readings]
        assert told == [told[0]] * len(told)
        assert MessageEvent in told[0]


async def test_a_frame_is_shared_by_those_that_lack_the_same_and_kept_for_one_turn() -> None:
    async with running_pair(worker=NO_WORKER) as (daemon, _client, _sim):
        stage = Stage(daemon)
        await stage.create()
        old = View()
        await stage.catch_up(old)
        await stage.send("queued")
        reader = stage.reader = ChangeReader(daemon.database)
        async with stage.reading(old) as one, stage.reading(View()) as two:
            await asyncio.gather(one.frame(), two.frame())
            assert reader.encoded == 2
            assert [type(event) for event in one.events[:2]] == [QueueUpdate, StatusEvent]
            told = [MessageEvent in map(type, each.events) for each in (one, two)]
            assert told == [False, True]
            assert not reader._frames


async def test_streams_leave_nothing_behind() -> None:
    async with running_pair(worker=NO_WORKER) as (daemon, _client, _sim):
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
