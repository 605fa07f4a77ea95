"""When to retry a failed attempt: pure, with time and chance passed in."""

from __future__ import annotations

import math
from datetime import datetime
from random import Random

import msgspec

from palaver.wire.errors import ChatError
from palaverd.failures import wording


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a retry policy. Times in seconds.

    `base` doubles with each attempt up to `cap`: an overload passes in seconds or lasts minutes,
    and users take more than a minute of waiting for a hang. `jitter` is the largest share added to
    a delay, so that many chats do not retry at the same instant. `max_attempts` and `max_elapsed`
    end the turn, so that the user is told. A hint (retry-after) longer than `longest_hint` ends the
    turn at once: nobody watches a countdown of ten minutes.
    """

    base: float = 1.0
    cap: float = 60.0
    jitter: float = 0.2
    max_attempts: int = 10
    max_elapsed: float = 20 * 60.0
    longest_hint: float = 10 * 60.0


# Seconds between two requests while a model is loading: short enough for a waiting user, cheap for
# a server that is busy reading gigabytes.
LOADING_S = 5.0


class Wait(msgspec.Struct, frozen=True):
    """Retry in `delay_ms`, the one number for the timer, the event, the log and the countdown."""

    delay_ms: int

    @property
    def seconds(self) -> float:
        """The delay in seconds, for a timer."""
        return self.delay_ms / 1000


class GiveUp(msgspec.Struct, frozen=True):
    """The turn ends with `error`."""

    error: ChatError


def soon(policy: RetryPolicy, random: Random) -> Wait:
    """Return the wait before a fallback model is asked: the shortest one, with jitter.

    Not zero, lest many chats move from an overloaded provider to the next at the same instant.
    """
    return _wait(policy.base, policy, random)


def while_loading(
    policy: RetryPolicy, error: ChatError, *, since: float, longest: float, random: Random
) -> Wait | GiveUp:
    """Return the next step while a model has been loading for `since` seconds.

    The server is asked every few seconds, for at least `longest` seconds; these requests do not
    count as attempts.
    """
    if since >= longest:
        return GiveUp(wording.never_loaded(error, since))
    return _wait(max(LOADING_S, (error.retry_after_ms or 0) / 1000), policy, random)


def _wait(floor: float, policy: RetryPolicy, random: Random) -> Wait:
    return Wait(math.ceil((floor + random.uniform(0, policy.jitter) * floor) * 1000))


def decide(
    policy: RetryPolicy,
    error: ChatError,
    *,
    attempt: int,
    elapsed: float,
    random: Random,
    now: datetime,
) -> Wait | GiveUp:
    """Return the next step after the `attempt`-th attempt (from 1) failed.

    `elapsed` is seconds since the first attempt began; a wait that would end after
    `policy.max_elapsed` is not started. `now` (aware) is used to name the time of a later retry.
    """
    if not error.retryable:
        return GiveUp(error)
    hint = (error.retry_after_ms or 0) / 1000
    if hint > policy.longest_hint:
        return GiveUp(wording.come_back_later(error, now))
    # 2.0 ** 1024 overflows; the cap is reached long before.
    own = min(policy.cap, policy.base * 2.0 ** min(max(attempt, 1) - 1, 62))
    wait = _wait(max(own, hint), policy, random)
    if attempt >= policy.max_attempts or elapsed + wait.seconds > policy.max_elapsed:
        return GiveUp(wording.given_up(error, attempt))
    return wait
