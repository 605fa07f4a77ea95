"""A deadline on a clock counts cancellations as asyncio does, if a library converts them, too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from palaver.clock import deadline, wait_until
from support.clock import ManualClock


class LibraryError(Exception):
    """The error that a library raises instead of a cancellation."""


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def converts() -> None:
    try:
        await forever()
    except asyncio.CancelledError as error:
        raise LibraryError from error


async def swallows() -> None:
    try:
        await forever()
    except asyncio.CancelledError:
        return


async def takes_too_long(clock: ManualClock, body: Callable[[], Awaitable[None]]) -> None:
    """Run `body` under a deadline of a second that passes while it runs."""
    asyncio.get_running_loop().call_soon(clock.advance, 1.0)
    async with deadline(clock, 1.0):
        await body()


def cancellations() -> int:
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


async def test_a_body_that_takes_too_long_is_a_timeout() -> None:
    clock = ManualClock()
    with pytest.raises(TimeoutError):
        await takes_too_long(clock, forever)
    assert cancellations() == 0
    assert clock.waits() == []


async def test_a_body_that_is_in_time_leaves_no_timer() -> None:
    clock = ManualClock()
    async with deadline(clock, 1.0):
        await asyncio.sleep(0)
    assert clock.waits() == []
    clock.advance(2.0)
    await asyncio.sleep(0)


@pytest.mark.parametrize("body", [converts, swallows])
async def test_the_deadline_after_one_whose_cancellation_was_converted_is_a_timeout_too(
    body: Callable[[], Awaitable[None]],
) -> None:
    clock = ManualClock()
    for _ in range(3):
        with suppress(LibraryError):
            await takes_too_long(clock, body)
        assert cancellations() == 0
        with pytest.raises(TimeoutError):
            await takes_too_long(clock, forever)


async def test_a_deadline_within_one_ends_the_inner_body_alone() -> None:
    clock = ManualClock()
    async with deadline(clock, 10.0):
        with pytest.raises(TimeoutError):
            await takes_too_long(clock, forever)
        assert cancellations() == 0
    with pytest.raises(TimeoutError):
        async with deadline(clock, 1.0):
            await takes_too_long(clock, forever)  # both pass in one step of the clock
    assert cancellations() == 0


async def test_who_is_cancelled_by_somebody_else_stays_cancelled() -> None:
    clock = ManualClock()
    task = asyncio.create_task(takes_too_long(clock, forever))
    asyncio.get_running_loop().call_soon(task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert clock.waits() == []


async def test_a_condition_is_looked_at_when_it_may_have_changed() -> None:
    clock, woken, seen = ManualClock(), asyncio.Event(), 0
    looks = 0

    def three() -> bool:
        nonlocal looks
        looks += 1
        return seen == 3

    waiting = asyncio.create_task(wait_until(three, woken, clock, 10.0))
    while seen < 3:
        await asyncio.sleep(0)
        seen += 1
        woken.set()
    assert await waiting
    assert looks == 4
    assert clock.waits() == []


async def test_a_condition_that_never_holds_is_waited_for_no_longer_than_told() -> None:
    clock = ManualClock()
    asyncio.get_running_loop().call_soon(clock.advance, 10.0)
    assert not await wait_until(lambda: False, asyncio.Event(), clock, 10.0)
    assert cancellations() == 0


async def test_a_condition_that_holds_at_once_is_not_waited_for() -> None:
    assert await wait_until(lambda: True, asyncio.Event(), ManualClock(), 10.0)


async def test_what_came_true_in_the_last_moment_counts() -> None:
    clock, true = ManualClock(), False

    def end() -> None:
        nonlocal true
        true = True
        clock.advance(10.0)

    asyncio.get_running_loop().call_soon(end)
    assert await wait_until(lambda: true, asyncio.Event(), clock, 10.0)
