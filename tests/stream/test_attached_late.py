"""Who attaches late sees everything that is pending, like one who watched from the start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from palaver.client import Client
from palaver.wire.actions import Answers, CallAnswer
from palaver.wire.chats import Interrupt, SendMessage
from palaver.wire.events import ActionRequired, StreamEvent
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.calls import WantedCall
from palaverd.store.transitions.required_action import require_action
from stream.stage import Stage
from support.clock import until
from support.daemon import running_pair
from support.scene import scene
from support.view import View, read_until

DEADLINES_S = {"call-0": 600, "call-1": 60, "call-2": None}


async def attached(client: Client, chat_id: str, view: View | None = None) -> View:
    """Return what a client shows that attaches now, with what it had before."""
    view = view or View()
    await read_until(client, chat_id, view, lambda: view.caught_up)
    view.caught_up = False
    return view


@asynccontextmanager
async def asked() -> AsyncIterator[tuple[Daemon, Client, Stage]]:
    """A chat that waits for three answers."""
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        stage = Stage(daemon)
        await stage.create()
        log = await stage.attempt()
        for call in DEADLINES_S:
            log.open_block("tool_call", name="ask_user", call_id=call)
        await stage.commit()
        now = daemon.door.now_ms()
        wanted = [
            WantedCall(call, "result", None if left is None else now + 1000 * left)
            for call, left in DEADLINES_S.items()
        ]
        await daemon.door.apply(stage.chat_id, lambda c: require_action(c, wanted))
        yield daemon, client, stage


async def answer(client: Client, chat_id: str, *calls: str) -> None:
    turn = (await client.chat(chat_id)).versions.turn
    await client.answer_calls(
        chat_id, Answers(turn, [CallAnswer(call, text="yes") for call in calls])
    )


async def test_an_open_action_is_shown_with_its_deadline() -> None:
    async with asked() as (daemon, client, stage):
        view = View()
        events: list[StreamEvent] = await read_until(
            client, stage.chat_id, view, lambda: view.caught_up
        )
        assert (view.status, view.call_ids) == ("requires_action", list(DEADLINES_S))
        [action] = [event for event in events if isinstance(event, ActionRequired)]
        assert action.deadline is not None
        left = action.deadline - daemon._clock.now()
        assert timedelta(seconds=30) < left <= timedelta(seconds=60)


async def test_an_action_that_was_answered_meanwhile_is_withdrawn() -> None:
    async with asked() as (_, client, stage):
        away = await attached(client, stage.chat_id)
        await answer(client, stage.chat_id, "call-1")
        assert (await attached(client, stage.chat_id)).call_ids == ["call-0", "call-2"]
        await answer(client, stage.chat_id, "call-0", "call-2")
        assert (await attached(client, stage.chat_id, away)).call_ids == []
        assert away.shown == (await attached(client, stage.chat_id)).shown


async def test_it_is_withdrawn_on_an_open_stream_too() -> None:
    async with asked() as (_, client, stage):
        view = View()
        seen: list[list[str]] = []

        def told() -> bool:
            if view.caught_up and (not seen or seen[-1] != view.call_ids):
                seen.append(view.call_ids)
            return len(seen) == 3

        async def answers() -> None:
            await until(lambda: len(seen) == 1)
            await answer(client, stage.chat_id, "call-1")
            await until(lambda: len(seen) == 2)
            await answer(client, stage.chat_id, "call-0", "call-2")

        await asyncio.gather(read_until(client, stage.chat_id, view, told), answers())
        assert seen == [["call-0", "call-1", "call-2"], ["call-0", "call-2"], []]


async def test_a_partial_answer_a_retry_with_the_time_left_and_a_held_queue_are_shown() -> None:
    async with scene("[[close after=20]] [[length=50]] go") as s:
        early = View()
        await read_until(s.client, s.chat_id, early, lambda: early.retry and early.live)
        await s.client.send(s.chat_id, SendMessage("one"))
        await s.client.send(s.chat_id, SendMessage("two"))
        await s.client.hold_queue(s.chat_id)
        await read_until(s.client, s.chat_id, early, lambda: early.held)
        assert early.retry is not None
        wait = early.retry.delay_ms / 1000
        s.clock.advance(wait / 4)
        late = await attached(s.client, s.chat_id)
        assert late.shown == early.shown
        assert late.retry is not None
        left = (late.retry.retrying_at - s.clock.now()).total_seconds()
        assert abs(left - wait * 3 / 4) < 0.01
        assert [message.content for message in late.queue] == ["one", "two"]
        assert late.held
        assert late.live[0].text
        turn = (await s.client.chat(s.chat_id)).versions.turn
        await s.client.interrupt(s.chat_id, Interrupt(turn_version=turn))
