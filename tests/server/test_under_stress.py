"""Queue, stop, retry and errors on the test's clock: real sockets, real SDK."""

from __future__ import annotations

from datetime import timedelta

import pytest

from palaver.wire.chats import CreateChat, Interrupt, SendMessage
from palaver.wire.queue import ChangeChat, Promote, QueueOrder, Resume, SkipBackoff
from palaverd.config.types import WorkerConfig
from support.clock import ManualClock, until
from support.daemon import running_pair
from support.scene import Scene, scene


async def test_a_retry_waits_as_long_as_it_announced_and_then_answers() -> None:
    async with scene("[[529]] [[echo]] hello") as s:
        row = await s.reaches("running", retry=True)
        assert row.retry is not None
        assert (row.retry.error.kind, row.retry.error.status_code) == ("overloaded", 529)
        assert row.retry.retrying_at - s.clock.now() == timedelta(milliseconds=row.retry.delay_ms)
        seconds = row.retry.delay_ms / 1000
        await until(lambda: any(abs(wait - seconds) < 1e-6 for wait in s.clock.waits()))
        s.clock.advance(seconds - 0.001)
        assert (await s.row()).retry is not None
        s.clock.advance(0.002)
        await s.reaches("waiting")
        assert await s.texts() == ["[[529]] [[echo]] hello", "hello"]


async def test_a_skipped_retry_runs_now() -> None:
    async with scene("[[529]] [[echo]] hello") as s:
        row = await s.reaches("running", retry=True)
        acted = await s.client.skip_backoff(
            s.chat_id, SkipBackoff(turn_version=row.turn_version, retry_version=row.retry_version)
        )
        assert acted.changed
        await s.reaches("waiting")
        assert (await s.texts())[-1] == "hello"


async def test_a_skip_of_an_earlier_wait_changes_nothing() -> None:
    async with scene("[[529]] [[echo]] hello") as s:
        row = await s.reaches("running", retry=True)
        acted = await s.client.skip_backoff(
            s.chat_id,
            SkipBackoff(turn_version=row.turn_version, retry_version=row.retry_version - 1),
        )
        assert (acted.changed, acted.reason) == (
            False,
            "The turn that this request was about is over.",
        )
        assert (await s.row()).retry is not None


@pytest.mark.parametrize("asked", [None, "sonnet"])
async def test_another_model_ends_the_wait_and_is_asked_next(asked: str | None) -> None:
    """Also if the message had chosen its own model."""
    async with scene("[[echo]] hi") as s:
        await s.reaches("waiting")
        message = SendMessage(content="[[529 times=9]] hello", model=asked)
        await s.client.send(s.chat_id, message)
        await s.reaches("running", retry=True)
        assert s.simulator.requests[-1].body["model"] == "sim-large"
        await s.client.change_chat(s.chat_id, ChangeChat(model="small"))
        await until(lambda: s.simulator.requests[-1].body["model"] == "sim-small")
        row = await s.reaches("running", retry=True)
        assert row.generation_attempt == 2


async def test_a_stop_during_a_wait_acts_at_once_and_holds_the_queue() -> None:
    async with scene("[[529 times=9]] hello") as s:
        row = await s.reaches("running", retry=True)
        await s.send("later")
        await s.client.interrupt(
            s.chat_id, Interrupt(turn_version=row.turn_version, hold_queue=True)
        )
        row = await s.reaches("waiting")
        assert (row.queue.value, row.retry, row.queue_length) == ("held", None, 1)
        await s.client.release_queue(s.chat_id)
        await s.reaches("waiting", queue_length=False)
        assert len(await s.texts()) == 3


async def test_an_answer_promotes_what_waits_in_its_order() -> None:
    async with scene("[[529]] [[echo]] one") as s:
        row = await s.reaches("running", retry=True)
        for text in ("[[echo]] two", "[[echo]] three"):
            await s.send(text)
        queue = (await s.client.reorder_queue(s.chat_id, QueueOrder(ids=[2, 1]))).queue
        assert [q.content for q in queue] == ["[[echo]] three", "[[echo]] two"]
        await s.client.skip_backoff(
            s.chat_id, SkipBackoff(turn_version=row.turn_version, retry_version=row.retry_version)
        )
        await s.reaches("waiting")
        assert [t for t in await s.texts() if "[[" not in t] == ["one", "three", "two"]


async def test_send_now_stops_the_answer_and_runs_the_chosen_message() -> None:
    async with scene("[[529 times=9]] [[echo]] one") as s:
        row = await s.reaches("running", retry=True)
        await s.send("[[echo]] two")
        await s.send("[[echo]] three")
        promote = Promote(turn_version=row.turn_version)
        await s.client.promote(s.chat_id, 2, promote)
        await s.reaches("waiting")
        assert [t for t in await s.texts() if "[[" not in t] == ["three", "two"]


async def test_a_failed_turn_is_tried_again_when_its_time_comes() -> None:
    async with scene("[[401 times=1]] [[echo]] hello") as s:
        row = await s.reaches("error")
        at = s.clock.now() + timedelta(hours=1)
        await s.client.resume(s.chat_id, Resume(turn_version=row.turn_version, at=at))
        assert (await s.row()).resume_at is not None
        await until(lambda: s.clock.waits())
        s.clock.advance(1800)
        assert (await s.row()).status == "error"
        s.clock.advance(1801)
        # The loop that looks for due chats may be looking now, and wait again afterwards.
        await s.reaches("waiting", pace=1.0)
        assert (await s.texts())[-1] == "hello"


@pytest.mark.parametrize("hold", [True, False])
async def test_a_stop_of_a_failed_chat_only_takes_back_the_appointment(hold: bool) -> None:
    async with scene("[[401]] hello") as s:
        row = await s.reaches("error")
        at = s.clock.now() + timedelta(hours=1)
        await s.client.resume(s.chat_id, Resume(turn_version=row.turn_version, at=at))
        stop = Interrupt(turn_version=row.turn_version, hold_queue=hold)
        assert (await s.client.interrupt(s.chat_id, stop)).changed
        assert (await s.row()).resume_at is None
        assert not (await s.client.interrupt(s.chat_id, stop)).changed


async def test_an_empty_answer_is_tried_once_more_and_then_told() -> None:
    async with scene("[[echo]]") as s:
        row = await s.reaches("running", retry=True)
        skip = SkipBackoff(turn_version=row.turn_version, retry_version=row.retry_version)
        await s.client.skip_backoff(s.chat_id, skip)
        row = await s.reaches("error")
        assert row.last_error is not None
        assert row.last_error.kind == "server_error"
        assert "empty answer" in row.last_error.message
        assert len(s.simulator.requests) == 2


async def test_a_chat_that_waits_for_a_place_says_so_and_since_when() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=WorkerConfig(max_chats=1)) as (
        daemon,
        client,
        simulator,
    ):
        first = await client.create_chat(CreateChat(content="[[529 times=9]] one"))
        s = Scene(daemon, client, simulator, clock, first.chat.id)
        row = await s.reaches("running", retry=True)
        second = await client.create_chat(CreateChat(content="[[echo]] two"))
        t = Scene(daemon, client, simulator, clock, second.chat.id)
        await t.reaches("running", pending_reason=True)
        chat = await client.chat(second.chat.id)
        assert (chat.status, chat.pending, chat.pending_since) == (
            "pending",
            "capacity",
            clock.now(),
        )
        await client.interrupt(first.chat.id, Interrupt(turn_version=row.turn_version))
        assert (await t.reaches("waiting")).pending_reason is None


async def test_a_chat_of_a_daemon_without_a_worker_says_so() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=WorkerConfig(enabled=False)) as (
        daemon,
        client,
        simulator,
    ):
        sent = await client.create_chat(CreateChat(content="one"))
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await until(clock.waits)
        clock.advance(1)
        await s.reaches("running", pending_reason=True)
        chat = await client.chat(sent.chat.id)
        assert (chat.status, chat.pending) == ("pending", "no_worker")


async def test_what_interrupts_at_the_head_is_answered_before_what_waits() -> None:
    async with scene("[[529 times=9]] [[echo]] one") as s:
        row = await s.reaches("running", retry=True)
        await s.send("[[echo]] two")
        await s.send("[[echo]] three")
        await s.client.send(
            s.chat_id,
            SendMessage(
                "[[echo]] four",
                when_busy="interrupt",
                turn_version=row.turn_version,
                position=0,
            ),
        )
        await s.reaches("waiting")
        assert [t for t in await s.texts() if "[[" not in t] == ["four", "two", "three"]
