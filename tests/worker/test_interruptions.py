"""A stop whose end cannot be written at once: the shown text is kept until it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import pytest

from palaver.wire.chats import CreateChat, Interrupt
from palaver.wire.messages import Text
from palaverd.chatstate.table import Transition
from palaverd.crashpoints import When
from palaverd.providers.neutral import BlockStart, Delta, ModelEvent, ModelRequest
from palaverd.store.database import DatabaseError
from palaverd.stream.episode import Episode
from palaverd.stream.registry import LINGER_S
from support.clock import PATIENCE_S, until
from support.daemon import make_daemon, running_pair
from support.scene import Scene, scene

STALLS = "[[silence at=text after=3]] [[length=9]] hello"
DROPS = "[[reset at=text after=3 times=1]] [[length=9]] hello"
STEP_S = 2.0  # often enough for every retry and heartbeat


def text_shown(s: Scene) -> str:
    episode = s.daemon.episodes.current(s.chat_id)
    return "".join(block.text for block in episode.blocks) if episode else ""


async def is_stalled(s: Scene) -> str:
    await until(lambda: text_shown(s).count(" ") >= 2)
    return text_shown(s)


async def stop(s: Scene) -> None:
    row = await s.row()
    await s.client.interrupt(s.chat_id, Interrupt(turn_version=row.turn_version))


def fails(s: Scene, transition: Transition, while_: Callable[[], bool]) -> list[int]:
    """Make every commit of `transition` fail while the condition holds; count them."""
    failed: list[int] = []

    def hook(when: When, transitions: Sequence[str]) -> None:
        if when == "before" and transition in transitions and while_():
            failed.append(1)
            raise DatabaseError("The disk is full.")

    s.daemon.door._reached = hook
    return failed


async def saved(s: Scene) -> tuple[str | None, str]:
    page = await s.client.messages(s.chat_id)
    [answer] = [message for message in page.messages if message.role == "assistant"]
    return answer.finish, "".join(part.text for part in answer.parts if isinstance(part, Text))


async def test_what_was_shown_is_saved_although_the_commit_fails_for_longer_than_logs_linger() -> (
    None
):
    async with scene(STALLS) as s:
        shown, away = await is_stalled(s), True
        failed = fails(s, Transition.FINISH_INTERRUPTION, lambda: away)
        await stop(s)
        await until(lambda: failed)
        since = s.clock.monotonic()
        while s.clock.monotonic() < since + LINGER_S + STEP_S:
            tries = len(failed)
            s.clock.advance(STEP_S)
            await until(lambda: len(failed) > tries or min(s.clock.waits()) < STEP_S)  # noqa: B023
        away = False
        # It may be about to wait for its next attempt, or waiting already.
        await s.reaches("waiting", pace=0.5)
        assert await saved(s) == ("interrupted", shown)


async def test_a_stop_before_the_next_attempt_is_recorded_saves_what_the_last_one_showed() -> None:
    async with scene(DROPS) as s:
        await s.reaches("running", retry=True)
        shown = text_shown(s)
        assert shown.count(" ") >= 2
        failed = fails(s, Transition.RECORD_ATTEMPT, lambda: True)
        s.clock.advance(2)
        await until(lambda: failed)
        await stop(s)
        await s.reaches("waiting")
        assert await saved(s) == ("interrupted", shown)


async def test_a_bug_in_ending_an_interruption_leaves_a_chat_that_can_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with scene(STALLS) as s:
        await is_stalled(s)
        with monkeypatch.context() as broken:
            broken.setattr("palaverd.generation.interruption.load_partial", lambda *_: 1 / 0)
            await stop(s)
            row = await s.reaches("error")
        assert row.last_error is not None
        assert row.last_error.kind == "generic"
        await s.send("[[echo]] again")
        await s.reaches("waiting")


async def test_a_stop_that_a_shutdown_overtakes_is_ended_at_the_next_start() -> None:
    async with scene(STALLS) as s:
        shown = await is_stalled(s)
        s.clock.advance(1)  # a partial is saved
        await until(lambda: s.clock.waits())
        failed = fails(s, Transition.FINISH_INTERRUPTION, lambda: True)
        await stop(s)
        await until(lambda: failed)
        await s.daemon.stop()
        again = make_daemon(s.daemon._data_dir.path, s.daemon._config, s.clock)
        await again.start()
        try:
            s.daemon = again
            await s.reaches("waiting")
            assert await saved(s) == ("interrupted", shown)
        finally:
            await again.stop()


async def deaf(request: ModelRequest) -> AsyncGenerator[ModelEvent]:
    """A provider that ignores a cancellation, and continues."""
    yield BlockStart(block=0, kind="text")
    yield Delta(block=0, text="heard")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        for _ in range(3):
            yield Delta(block=0, text=" and more")
        raise


async def shown_and_saved(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    async with running_pair() as (daemon, client, _simulator):
        monkeypatch.setattr(daemon.catalog._providers["anthropic"], "stream", deaf)
        sent = await client.create_chat(CreateChat(content="hello"))
        chat_id = sent.chat.id
        await until(lambda: daemon.episodes.current(chat_id))
        log = daemon.episodes.current(chat_id)
        assert log is not None
        await until(lambda: log.blocks and log.blocks[0].length)
        await client.interrupt(chat_id, Interrupt(turn_version=sent.chat.versions.turn))
        async with asyncio.timeout(PATIENCE_S):
            while (await client.chat(chat_id)).status != "waiting":
                await asyncio.sleep(0.005)
        page = await client.messages(chat_id)
        texts = [part.text for part in page.messages[0].parts if isinstance(part, Text)]
        return log.blocks[0].text, "".join(texts)


async def test_a_provider_that_goes_on_after_a_stop_adds_nothing_to_what_is_shown_or_saved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await shown_and_saved(monkeypatch) == ("heard", "heard")


async def test_it_would_be_noticed_if_a_stop_did_not_seal_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Episode, "seal", lambda self: None)
    shown, _saved = await shown_and_saved(monkeypatch)
    assert shown != "heard"
