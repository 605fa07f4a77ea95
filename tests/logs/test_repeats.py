"""A repeated log line: logged at once, then ever more rarely, with a count."""

from __future__ import annotations

from palaverd.logs.repeats import FIRST_S, LAST_S, REMEMBERED, Repeats
from support.clock import ManualClock


def test_what_comes_every_second_is_logged_ever_more_rarely_and_all_of_it_is_counted() -> None:
    clock = ManualClock()
    repeats = Repeats(clock.monotonic)
    logged = {}
    for second in range(601):
        if (left_out := repeats.passes("x")) is not None:
            logged[second] = left_out
        clock.advance(1)
    assert list(logged) == [0, 1, 3, 7, 15, 31, 63, *range(123, 601, 60)]
    assert sum(logged.values()) + len(logged) == list(logged)[-1] + 1


def test_a_flood_is_at_most_a_line_a_second() -> None:
    clock = ManualClock()
    repeats = Repeats(clock.monotonic)
    logged = 0
    for _ in range(15_000):
        logged += repeats.passes("x") is not None
        clock.advance(0.001)
    assert logged <= 15 / FIRST_S


def test_one_line_does_not_keep_back_another() -> None:
    clock = ManualClock()
    repeats = Repeats(clock.monotonic)
    assert [repeats.passes("x"), repeats.passes("y"), repeats.passes("x")] == [0, 0, None]


def test_after_a_quiet_time_it_is_a_first_line_again_that_counts_what_was_left_out() -> None:
    clock = ManualClock()
    repeats = Repeats(clock.monotonic)
    assert [repeats.passes("x") for _ in range(4)] == [0, None, None, None]
    clock.advance(LAST_S)
    assert [repeats.passes("x"), repeats.passes("x")] == [3, None]
    clock.advance(FIRST_S)
    assert repeats.passes("x") == 1


def test_the_memory_of_lines_is_bounded() -> None:
    clock = ManualClock()
    repeats = Repeats(clock.monotonic)
    for number in range(2 * REMEMBERED):
        assert repeats.passes(number) == 0
    assert repeats.passes(2 * REMEMBERED - 1) is None
    assert repeats.passes(0) == 0
