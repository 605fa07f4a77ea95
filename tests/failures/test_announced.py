"""The announced wait is the real one, and a later subscriber gets the same error."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from failures.leases import LONG_LEASES
from palaver.client import Client, Connected, ConnectionLost, Endpoint
from palaver.wire.actions import EditMessage
from palaver.wire.chats import Chat, CreateChat, SendMessage
from palaver.wire.events import CaughtUp, ErrorEvent, MessageEvent, RetryEvent, StreamEvent
from palaver.wire.queue import Resume
from palaverd.simulator import Simulator
from palaverd.simulator.faults import FAULTS
from palaverd.store.tables import chats
from palaverd.worker.limits import ACQUIRE_INTERVAL_S
from support.chats import events_until, reaches
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import running_daemon, running_pair, short_dir, simulator_config
from support.scene import Scene, scene

HINTS = {
    "": (1000, 1200),
    " retry-after=7": (7000, 8400),
    " retry-after=0.25": (1000, 1200),
    " retry-after-ms=3210": (3210, 3852),
    " retry-after-ms=3210 retry-after=99": (3210, 3852),
    " retry-date=30": (30_000, 36_000),
    " retry-after=soon": (1000, 1200),
    " retry-after=-4": (1000, 1200),
}


@pytest.mark.parametrize("hint", HINTS)
async def test_one_number_feeds_everything_that_speaks_of_a_wait(hint: str) -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, simulator_clock=clock, worker=LONG_LEASES) as (
        daemon,
        client,
        simulator,
    ):
        with capture_logs() as logs:
            sent = await client.create_chat(CreateChat(content=f"[[429{hint}]] [[echo]] hi"))
            s = Scene(daemon, client, simulator, clock, sent.chat.id)
            live = await events_until(client, s.chat_id, lambda events: bool(_waits(events)))
        row = await s.reaches("running", retry=True)
        assert row.retry is not None
        delay = row.retry.delay_ms
        least, most = HINTS[hint]
        assert least <= delay <= most
        assert _waits(live) == [row.retry]
        assert (await client.chat(s.chat_id)).retry == row.retry
        assert row.retry.retrying_at == clock.now() + timedelta(milliseconds=delay)
        [logged] = [entry for entry in logs if entry["event"] == "attempt failed"]
        assert logged["delay_ms"] == delay
        await until(lambda: any(abs(wait * 1000 - delay) < 0.01 for wait in clock.waits()))
        clock.advance(delay / 1000 - 0.001)
        await asyncio.sleep(0.02)
        assert len(simulator.requests) == 1
        clock.advance(0.0011)
        await s.reaches("waiting")
        first, second = simulator.requests
        assert second.at - first.at == pytest.approx(delay / 1000, abs=0.002)


def _waits(events: list[StreamEvent]) -> list[object]:
    return [e.retry for e in events if isinstance(e, RetryEvent) and e.retry is not None]


async def test_a_hint_of_more_than_ten_minutes_ends_the_turn_and_can_be_kept() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=LONG_LEASES) as (daemon, client, simulator):
        told = "[[429 retry-after=1500]] [[echo]] hello"
        sent = await client.create_chat(CreateChat(content=told))
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        row = await s.reaches("error")
        error = row.last_error
        assert error is not None
        at = clock.now() + timedelta(minutes=25)
        assert (error.kind, error.retry_after_ms, error.retry_at) == ("rate_limit", 1_500_000, at)
        assert "in 25 minutes, at 00:25 UTC" in error.message
        await client.resume(s.chat_id, Resume(turn_version=row.turn_version, at=at))
        # A new subscriber gets the error and the time of the next attempt.
        events = await events_until(client, s.chat_id, lambda e: bool(_errors(e)))
        assert _errors(events) == [ErrorEvent(error, at)]
        await until(lambda: clock.waits())
        clock.advance(1499)
        await asyncio.sleep(0.02)
        assert (await s.row()).status == "error"
        # Step by step: the acquisition that the first step set off may still run, and sleep then.
        await s.reaches("waiting", pace=ACQUIRE_INTERVAL_S / 4)
        assert (await s.texts())[-1] == "hello"


async def test_an_edit_during_a_wait_acts_at_once() -> None:
    async with scene("[[529 times=9]] hello") as s:
        row = await s.reaches("running", retry=True)
        [message] = (await s.client.messages(s.chat_id)).messages
        await s.client.edit_message(
            s.chat_id,
            message.id,
            EditMessage(content="[[echo]] better", history_version=row.history_version),
        )
        assert (await s.reaches("waiting")).retry is None
        assert await s.texts() == ["[[echo]] better", "better"]


async def test_a_send_that_interrupts_ends_a_wait_and_one_that_queues_does_not() -> None:
    async with scene("[[529 times=9]] hello") as s:
        row = await s.reaches("running", retry=True)
        await s.send("[[echo]] later")
        before = (await s.row()).retry
        assert before == row.retry
        now = SendMessage("[[echo]] now", when_busy="interrupt", turn_version=row.turn_version)
        await s.client.send(s.chat_id, now)
        await s.reaches("waiting", queue_length=False)
        answers = [text for text in await s.texts() if "[[" not in text]
        assert sorted(answers) == ["later", "now"]
        assert len(s.simulator.requests) == 3


# --- a later subscriber gets the same as a live one -------------------------------------------

ENDINGS = ("400", "401", "402", "404", "context", "filter", "leak", "quota", "redirect")


async def told_live(client: Client, chat_id: str, content: str) -> list[ErrorEvent]:
    """Attach, send once attached, and return the errors that arrive."""
    events: list[StreamEvent] = []
    sending: asyncio.Task[object] | None = None
    async with asyncio.timeout(PATIENCE_S), aclosing(client.stream(chat_id)) as stream:
        async for batch in stream:
            events += [e for e in batch if not isinstance(e, Connected | ConnectionLost)]
            if sending is None and any(isinstance(e, CaughtUp) for e in events):
                assert not _errors(events)
                sending = asyncio.create_task(client.send(chat_id, SendMessage(content)))
            if _errors(events):
                break
    assert sending is not None
    await sending
    return _errors(events)


@pytest.mark.parametrize("fault", ENDINGS)
async def test_an_error_is_the_same_live_stored_and_after_a_restart(fault: str) -> None:
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        config = simulator_config(simulator.url)
        async with (
            running_daemon(folder, config) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            chat_id = (await client.create_chat(CreateChat(content="[[echo]] hi"))).chat.id
            await reaches(client, chat_id, "waiting")
            live = await told_live(client, chat_id, f"[[{fault}]] hello")
            listed = await client.chat(chat_id)
        async with (
            running_daemon(folder, config) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            late = _errors(await events_until(client, chat_id, lambda e: bool(_errors(e))))
            again = await client.chat(chat_id)
    assert live == late
    error = live[0].error
    assert error is not None
    assert (error, error) == (listed.last_error, again.last_error)
    # All of the provider's message is stored, not only what both readers happen to share.
    said = FAULTS[fault]
    assert (error.provider, error.model) == ("anthropic", "sonnet")
    assert error.status_code == (said.status if said.status != 200 else None)
    if said.manner == "status":
        assert (error.request_id, error.detail) == ("req_sim000002", said.message)
    assert _head(listed) == _head(again)


async def test_a_wait_is_the_same_for_who_comes_after_a_restart() -> None:
    clock = ManualClock()
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        config = simulator_config(simulator.url)
        seen: list[object] = []
        for _ in range(2):
            async with (
                running_daemon(folder, config, clock) as daemon,
                Client(Endpoint(socket=daemon.socket)) as client,
            ):
                if not seen:
                    sent = await client.create_chat(CreateChat(content="[[529 times=9]] x"))
                chat_id = sent.chat.id
                seen.append(
                    _waits(await events_until(client, chat_id, lambda e: bool(_waits(e))))[0]
                )
        assert seen[0] == seen[1]
        assert len(simulator.requests) == 1


def _errors(events: list[StreamEvent]) -> list[ErrorEvent]:
    return [e for e in events if isinstance(e, ErrorEvent) and e.error is not None]


def _head(chat: Chat) -> tuple[object, ...]:
    return (chat.status, chat.last_error, chat.resume_at, chat.retry)


async def test_an_error_of_an_older_writer_is_shown_as_its_sentence() -> None:
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        config = simulator_config(simulator.url)
        async with (
            running_daemon(folder, config) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            sent = await client.create_chat(CreateChat(content="[[401]] x"))
            chat_id = sent.chat.id
            await events_until(client, chat_id, lambda e: bool(_errors(e)))
            old = update(chats).values(last_error="The model is on holiday.")
            await daemon.database.write(lambda c: c.execute(old))
            events = await events_until(client, chat_id, lambda e: bool(_errors(e)))
            [shown] = [e.error for e in _errors(events)]
            assert any(isinstance(e, MessageEvent) for e in events)
    assert shown is not None
    assert (shown.kind, shown.message) == ("generic", "The model is on holiday.")
