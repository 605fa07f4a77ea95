from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from palaver.wire.errors import ChatError
from palaverd.failures import GiveUp, RetryPolicy, Wait, decide
from palaverd.failures.retry_after import retry_after_ms, wait_in_fields, wait_in_words

NOW = datetime(2025, 1, 1, 23, 50, tzinfo=UTC)
OVERLOADED = ChatError(
    kind="overloaded", message="Anthropic is overloaded.", provider="anthropic", retryable=True
)


class Least(Random):
    """A random source without jitter."""

    def random(self) -> float:
        return 0.0


class Most(Random):
    """A random source with all the jitter."""

    def random(self) -> float:
        return 1.0


def after(
    attempt: int, *, hint: int | None = None, elapsed: float = 0, chance: Random | None = None
) -> Wait | GiveUp:
    error = ChatError(
        kind="rate_limit",
        message="Anthropic asks to slow down.",
        provider="anthropic",
        retryable=True,
        retry_after_ms=hint,
    )
    policy = RetryPolicy()
    return decide(
        policy, error, attempt=attempt, elapsed=elapsed, random=chance or Least(), now=NOW
    )


def test_delays_double_up_to_a_minute() -> None:
    delays = [after(n) for n in range(1, 10)]
    assert [d.seconds for d in delays if isinstance(d, Wait)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_jitter_adds_a_fifth_at_most() -> None:
    assert after(1, chance=Most()) == Wait(1200)
    assert after(9, chance=Most()) == Wait(72_000)


def test_a_hint_is_a_floor_with_the_jitter_on_top() -> None:
    assert after(1, hint=30_000) == Wait(30_000)
    assert after(1, hint=30_000, chance=Most()) == Wait(36_000)
    assert after(6, hint=1_000) == Wait(32_000)


def test_the_tenth_failure_is_the_last() -> None:
    assert isinstance(after(9), Wait)
    end = after(10)
    assert isinstance(end, GiveUp)
    assert end.error.kind == "rate_limit"
    assert "10 attempts" in end.error.message
    assert end.error.retry_at is None


def test_no_wait_goes_beyond_twenty_minutes() -> None:
    assert isinstance(after(7, elapsed=20 * 60 - 60), Wait)
    assert isinstance(after(7, elapsed=20 * 60 - 59), GiveUp)


def test_a_long_hint_ends_the_turn_and_says_when_to_come_back() -> None:
    assert isinstance(after(1, hint=600_000), Wait)
    end = after(1, hint=1_500_000)
    assert isinstance(end, GiveUp)
    assert end.error.kind == "rate_limit"
    assert end.error.retry_at == NOW + timedelta(minutes=25)
    assert end.error.retry_after_ms == 1_500_000
    assert "25 minutes, at 2 January, 00:15 UTC" in end.error.message


def test_an_overload_with_a_long_hint_becomes_a_rate_limit() -> None:
    error = ChatError(kind="overloaded", message="", retryable=True, retry_after_ms=700_000)
    end = decide(RetryPolicy(), error, attempt=1, elapsed=0, random=Least(), now=NOW)
    assert isinstance(end, GiveUp)
    assert end.error.kind == "rate_limit"


def test_what_cannot_be_retried_ends_at_once_as_it_is() -> None:
    error = ChatError(kind="auth", message="No.", retryable=False, retry_after_ms=1)
    assert decide(RetryPolicy(), error, attempt=1, elapsed=0, random=Random(1), now=NOW) == GiveUp(
        error
    )


@given(
    st.integers(1, 10**6),
    st.floats(0, 10**6),
    st.none() | st.integers(0, 10**12),
    st.integers(),
)
def test_a_wait_is_never_shorter_than_the_hint_nor_longer_than_allowed(
    attempt: int, elapsed: float, hint: int | None, seed: int
) -> None:
    wait = after(attempt, hint=hint, elapsed=elapsed, chance=Random(seed))
    if isinstance(wait, Wait):
        assert wait.delay_ms >= (hint or 0)
        assert 1000 <= wait.delay_ms <= max(60_000, hint or 0) * 1.2 + 1
        assert attempt < 10
        assert elapsed + wait.seconds <= 20 * 60 + 0.001


def test_many_chats_do_not_come_back_in_one_instant() -> None:
    chance = Random(7)
    delays = {after(7, hint=60_000, chance=chance) for _ in range(50)}
    assert len(delays) > 40


# --- hints ------------------------------------------------------------------------------------

DATE = "Wed, 01 Jan 2025 23:50:30 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3000),
        ({"retry-after": "0.25"}, 250),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "1234"}, 1234),
        ({"retry-after-ms": "1234.5"}, 1235),
        ({"retry-after-ms": "1234", "retry-after": "99"}, 1234),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2000),
        ({"retry-after": DATE}, 30_000),
        ({"retry-after": DATE, "date": "Wed, 01 Jan 2025 23:50:20 GMT"}, 10_000),
        ({"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 99 Jan 2025 23:50:30 GMT"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": ".5"}, 500),
        ({"retry-after": "99999999999999"}, 366 * 24 * 3600 * 1000),
        ({"retry-after": "Fri, 01 Jan 9999 00:00:00 GMT"}, 366 * 24 * 3600 * 1000),
        ({"retry-after": " 3 "}, 3000),
        ({"retry-after": "3 seconds"}, 3000),
        ({"retry-after": "3s"}, 3000),
        ({"retry-after": "500ms"}, 500),
        ({"retry-after": "1m30.5s"}, 90_500),
        ({"retry-after": "2 minutes and 5 seconds"}, 125_000),
        ({"retry-after": "3 apples"}, None),
        ({"retry-after": "3, 5"}, 5000),  # two lines
        ({"retry-after": f"{DATE}, {DATE}"}, 30_000),
        ({"retry-after": f"{DATE}, 7s"}, 30_000),
        ({"retry-after": "2025-01-01T23:50:30Z"}, 30_000),
        ({"retry-after": "1735775430"}, 30_000),  # a point in time, as GitHub sends it
        ({"x-ratelimit-reset": "1735775430000"}, 30_000),  # OpenRouter's
        ({"x-ratelimit-reset": "9", "retry-after": "2"}, 2000),
        ({"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "0"}, 360_000),
        ({"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "5"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "1_0"}, None),
        ({"retry-after-ms": "-1", "retry-after": "2"}, 2000),
        ({"retry-after-ms": "0", "retry-after": "2"}, 0),
    ],
)
def test_hints_are_read(headers: dict[str, str], expected: int | None) -> None:
    assert retry_after_ms(headers, NOW) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Please retry in 3.07s.", 3070),
        ("Limit 30000, Used 29500, Requested 600. Please try again in 6.5s. Visit …", 6500),
        ("Please try again in 20ms.", 20),
        ("Please retry after 26 seconds.", 26_000),
        ("Please try again in 1h2m3s.", 3_723_000),
        ("wait 2 minutes and 5 seconds", 125_000),
        ("Try again later.", None),
        ("wait for 5 apples", None),
        ("Please reduce your prompt; 30 s were used.", None),
    ],
)
def test_waits_are_read_in_words(words: str, expected: int | None) -> None:
    assert wait_in_words(words.lower()) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([{"error": {"details": [{"@type": "x/RetryInfo", "retryDelay": "3s"}]}}], 3000),
        ({"retryDelay": {"seconds": 3, "nanos": 500_000_000}}, 3500),
        ({"error": {"metadata": {"headers": {"Retry-After": "9"}}}}, 9000),
        ({"retry_after": 1.5}, 1500),
        ({"retry_after_ms": 250}, 250),
        ({"retry_after": None, "retryDelay": ["x"]}, None),
        ([], None),
        (None, None),
    ],
)
def test_waits_are_read_in_fields(body: object, expected: int | None) -> None:
    assert wait_in_fields(body) == expected


def test_a_date_without_a_clock_is_no_hint() -> None:
    assert retry_after_ms({"retry-after": DATE}) is None


@given(st.text(), st.text(), st.text())
@example("0\x1f", "", "")  # whitespace for Python, but not part of a number
def test_no_header_can_break_the_reader(ms: str, after_: str, date: str) -> None:
    hint = retry_after_ms({"retry-after-ms": ms, "retry-after": after_, "date": date}, NOW)
    assert hint is None or hint >= 0
