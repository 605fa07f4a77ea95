"""A model that is loading is requested every few seconds, as long as it may take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import msgspec

from failures.leases import LONG_LEASES
from palaver.wire.chats import CreateChat, RetryInfo
from palaver.wire.errors import ChatError
from palaverd.failures import GiveUp, RetryPolicy, Wait
from palaverd.failures.retry import LOADING_S, while_loading
from support.clock import ManualClock, until
from support.daemon import running_pair, simulator_config
from support.scene import Scene

LOADING = ChatError("loading", "Acme is loading the model x.", retryable=True)


def follows(since: float, longest: float = 600.0, hint: int | None = None) -> Wait | GiveUp:
    error = msgspec.structs.replace(LOADING, retry_after_ms=hint)
    return while_loading(RetryPolicy(), error, since=since, longest=longest, random=Random(7))


def test_it_is_asked_every_few_seconds_until_it_had_its_time() -> None:
    for since in (0.0, 100.0, 599.9):
        wait = follows(since)
        assert isinstance(wait, Wait)
        assert LOADING_S <= wait.seconds <= LOADING_S * 1.2
    end = follows(600.0)
    assert isinstance(end, GiveUp)
    assert end.error.kind == "loading"
    assert "It was not ready after 10 minutes" in end.error.message
    assert "startup_seconds" in end.error.message
    asked = follows(0.0, hint=20_000)
    assert isinstance(asked, Wait)
    assert asked.seconds >= 20


@asynccontextmanager
async def chat(prompt: str, **provider: object) -> AsyncIterator[Scene]:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=LONG_LEASES) as (daemon, client, simulator):
        config = simulator_config(simulator.url)
        changed = msgspec.structs.replace(config.providers["anthropic"], **provider)
        daemon.catalog.change(
            msgspec.structs.replace(config, providers={"anthropic": changed}),
            {"anthropic": daemon.configured._providers["anthropic"]},
            {},
        )
        sent = await client.create_chat(CreateChat(prompt))
        yield Scene(daemon, client, simulator, clock, sent.chat.id)


async def next_wait(s: Scene, asked: int) -> RetryInfo:
    """Wait for the announcement after that many requests, and let its time pass."""
    await until(lambda: len(s.simulator.requests) == asked)
    row = await s.reaches("running", retry=True)
    assert row.retry is not None
    retry = row.retry
    delay = retry.delay_ms / 1000
    await until(lambda: any(abs(wait - delay) < 1e-6 for wait in s.clock.waits()))
    s.clock.advance(delay + 1e-6)
    return retry


async def test_thirty_questions_are_no_attempts_and_the_answer_comes() -> None:
    async with chat("[[loading times=30]] [[echo]] at last") as s:
        for asked in range(1, 31):
            retry = await next_wait(s, asked)
            assert LOADING_S <= retry.delay_ms / 1000 <= LOADING_S * 1.2
            assert (retry.attempt, retry.error.kind) == (1, "loading")
            assert retry.error.message == "Anthropic is loading the model sonnet."
        await s.reaches("waiting")
        assert (await s.texts())[-1] == "at last"


async def test_what_fails_after_the_loading_has_all_of_its_attempts() -> None:
    prompt = "[[529 times=2]] [[loading times=12]] [[500 times=7]] [[echo]] at last"
    async with chat(prompt) as s:
        told = [await next_wait(s, asked) for asked in range(1, 22)]
        await s.reaches("waiting")
        assert (await s.texts())[-1] == "at last"
    numbers: dict[str, list[int]] = {}
    for retry in told:
        numbers.setdefault(retry.error.kind, []).append(retry.attempt)
    assert numbers == {
        "overloaded": [1, 2],
        "loading": [3] * 12,
        "server_error": [3, 4, 5, 6, 7, 8, 9],
    }


async def test_a_failure_that_goes_on_after_the_loading_ends_after_ten_attempts() -> None:
    async with chat("[[loading times=12]] [[500 times=99]] hello") as s:
        for asked in range(1, 22):
            await next_wait(s, asked)
        row = await s.reaches("error")
        assert len(s.simulator.requests) == 22
        assert row.last_error is not None
        assert "10 attempts failed" in row.last_error.message


async def test_one_that_is_never_loaded_ends_after_its_time() -> None:
    async with chat("[[loading times=999]] hello", startup_seconds=30.0) as s:
        began = s.clock.monotonic()
        for asked in range(1, 7):
            await next_wait(s, asked)
            if s.clock.monotonic() - began >= 30:
                break
        row = await s.reaches("error")
        assert s.clock.monotonic() - began >= 30
        assert row.last_error is not None
        assert (row.last_error.kind, row.last_error.retry_at) == ("loading", None)
        assert "It was not ready after" in row.last_error.message
