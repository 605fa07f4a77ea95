"""Guards and cancellations: what ends a call, and when. The test advances the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import pytest

from palaverd.config.types import ProviderConfig
from palaverd.failures import ProviderFailure
from palaverd.providers.call import Call, Opened, model_events
from palaverd.providers.chat_events import ChatDialect
from palaverd.providers.exception_signals import Caller
from palaverd.providers.limits import DEFAULT_LIMITS, OWN_SERVER_LIMITS, limits_of
from palaverd.providers.neutral import Completed, Delta, Provider
from palaverd.simulator import Simulator
from providers.calling import Kind, Outcome, ask, call, made
from support.clock import ManualClock, until

# Each has a configured base_url here; the vendor's own is known to respond sooner.
STARTUP = OWN_SERVER_LIMITS.startup


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def timed(kind: Kind, simulator: Simulator, clock: ManualClock) -> AsyncIterator[Provider]:
    async with made(kind, simulator.url, clock=clock) as ready:
        yield ready


async def words(provider: Provider, prompt: str, seen: list[str]) -> Outcome:
    """Return what `call` does, and report its progress."""
    outcome = Outcome()
    try:
        async with aclosing(provider.stream(ask(prompt))) as events:
            async for event in events:
                outcome.take(event)
                if isinstance(event, Delta):
                    seen.append(event.text)
    except ProviderFailure as failure:
        outcome.error = failure.error
    return outcome


def test_a_server_of_ones_own_has_ten_minutes_in_any_protocol(kind: Kind) -> None:
    """It may be loading a model, or be busy with others, and send no byte."""
    own = ProviderConfig(kind=kind, base_url="http://127.0.0.1:8080/v1")
    assert limits_of(own).startup == 600.0
    vendor, patient = ProviderConfig(kind=kind), ProviderConfig(kind=kind, startup_seconds=7.0)
    assert limits_of(vendor).startup == DEFAULT_LIMITS.startup
    assert limits_of(patient).startup == 7.0


async def test_a_first_event_that_never_comes_ends_the_call(
    timed: Provider, kind: Kind, clock: ManualClock, simulator: Simulator
) -> None:
    task = asyncio.create_task(call(timed, "[[silence after=0]] [[slow-first=9999]] hello"))
    await until(lambda: simulator.requests and clock.waits())
    clock.advance(STARTUP - 1)
    await asyncio.sleep(0.01)
    assert not task.done()
    clock.advance(1)
    error = (await task).error
    assert error is not None
    assert (error.kind, error.retryable) == ("startup_timeout", True)
    assert "did not begin to answer within" in error.message


async def test_silence_in_the_middle_ends_the_call(timed: Provider, clock: ManualClock) -> None:
    seen: list[str] = []
    task = asyncio.create_task(words(timed, "[[silence after=5]] [[length=50]] go on", seen))
    await until(lambda: len(seen) == 5)
    await until(lambda: clock.waits() == [DEFAULT_LIMITS.silence])
    clock.advance(DEFAULT_LIMITS.silence - 1)
    await asyncio.sleep(0.01)
    assert not task.done()
    clock.advance(1)
    error = (await task).error
    assert error is not None
    assert error.kind == "silence_timeout"
    assert "2 minutes" in error.message


async def test_pings_alone_do_not_keep_a_call_alive(kind: Kind, clock: ManualClock) -> None:
    # The simulator uses the same clock: it pings as soon as time passes.
    async with (
        Simulator(rate=0, clock=clock) as simulator,
        made(kind, simulator.url, clock=clock) as provider,
    ):
        seen: list[str] = []
        task = asyncio.create_task(words(provider, "[[pings after=3]] [[length=9]] x", seen))
        await until(lambda: len(seen) == 3)
        for _ in range(int(DEFAULT_LIMITS.pings / 50) + 1):
            await until(lambda: task.done() or 1.0 in clock.waits())
            clock.advance(50)
            await asyncio.sleep(0.003)
        error = (await task).error
    assert error is not None
    assert error.kind == "silence_timeout"
    assert "10 minutes" in error.message


async def test_a_reader_that_takes_its_time_is_not_the_providers_silence(
    timed: Provider, clock: ManualClock
) -> None:
    outcome = Outcome()
    async with aclosing(timed.stream(ask("[[length=30]] hello"))) as events:
        async for event in events:
            outcome.take(event)
            clock.advance(DEFAULT_LIMITS.pings)
    assert outcome.completed is not None


async def test_no_timer_is_left_behind(timed: Provider, clock: ManualClock) -> None:
    await call(timed, "[[echo]] done")
    await call(timed, "[[reset after=2]] [[length=9]] hello")
    await call(timed, "[[401]] hello")
    assert clock.waits() == []


async def test_a_body_that_never_ends_costs_a_moment_and_not_the_answer(
    timed: Provider, clock: ManualClock
) -> None:
    outcome = Outcome()
    async with aclosing(timed.stream(ask("[[stay-open]] [[echo]] whole"))) as events:
        async for event in events:
            outcome.take(event)
            if isinstance(event, Completed):
                asyncio.get_running_loop().call_later(0.01, clock.advance, DEFAULT_LIMITS.drain)
    assert outcome.text == "whole"


@pytest.mark.parametrize("prompt", ["[[silence after=0]] x", "[[silence after=5]] [[length=9]] x"])
async def test_our_own_cancellation_stays_one(
    timed: Provider, simulator: Simulator, prompt: str
) -> None:
    task = asyncio.create_task(call(timed, prompt))
    await until(lambda: simulator.requests)
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_our_cancellation_beats_a_guard_that_fires_with_it(
    timed: Provider, clock: ManualClock
) -> None:
    seen: list[str] = []
    task = asyncio.create_task(words(timed, "[[silence after=2]] [[length=9]] x", seen))
    await until(lambda: len(seen) == 2 and clock.waits() == [DEFAULT_LIMITS.silence])
    clock.advance(DEFAULT_LIMITS.silence)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_guards_cancellation_leaves_no_trace_on_the_task(
    timed: Provider, clock: ManualClock
) -> None:
    seen: list[str] = []

    async def twice() -> tuple[Outcome, int, Outcome]:
        first = await words(timed, "[[silence after=2 times=1]] [[length=9]] x", seen)
        task = asyncio.current_task()
        assert task is not None
        return first, task.cancelling(), await words(timed, "[[echo]] fine", [])

    task = asyncio.create_task(twice())
    await until(lambda: len(seen) == 2 and clock.waits() == [DEFAULT_LIMITS.silence])
    clock.advance(DEFAULT_LIMITS.silence)
    first, cancelling, second = await task
    assert first.error is not None
    assert cancelling == 0
    assert second.text == "fine"


# --- cancellations by libraries ---------------------------------------------------------------


def _call(clock: ManualClock) -> Call:
    return Call(Caller("acme"), "m", clock, DEFAULT_LIMITS)


async def _run(clock: ManualClock, error: BaseException) -> None:
    @asynccontextmanager
    async def opening() -> AsyncIterator[Opened]:
        raise error
        yield

    async with aclosing(model_events(_call(clock), opening, ChatDialect())) as events:
        async for _ in events:
            pass


async def test_a_cancellation_that_nobody_asked_for_is_a_reset(clock: ManualClock) -> None:
    with pytest.raises(ProviderFailure) as caught:
        await _run(clock, asyncio.CancelledError("Cancelled via cancel scope"))
    assert caught.value.error.kind == "timeout"
    assert caught.value.error.retryable


async def test_a_cancellation_that_comes_with_a_status_is_judged_by_it(clock: ManualClock) -> None:
    error = asyncio.CancelledError()
    error.status_code = 500  # type: ignore[attr-defined]
    with pytest.raises(ProviderFailure) as caught:
        await _run(clock, error)
    assert caught.value.error.kind == "server_error"


async def test_an_error_that_a_library_made_of_our_cancellation_is_our_cancellation(
    clock: ManualClock,
) -> None:
    class Opening(AbstractAsyncContextManager[Opened]):
        async def __aenter__(self) -> Opened:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                raise ConnectionResetError("closed") from None
            raise AssertionError

        async def __aexit__(self, *_error: object) -> None:
            """Nothing was opened."""

    async def read() -> None:
        async with aclosing(model_events(_call(clock), Opening, ChatDialect())) as events:
            async for _ in events:
                pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_bug_of_ours_is_generic_and_not_retried(clock: ManualClock) -> None:
    with pytest.raises(ProviderFailure) as caught:
        await _run(clock, KeyError("oops"))
    assert caught.value.error.kind == "generic"
    assert not caught.value.error.retryable
