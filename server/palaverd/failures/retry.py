"""When to try again: pure, with time and chance handed in."""

from __future__ import annotations

import math
from datetime import datetime
from random import Random

import msgspec

from palaver.wire.errors import ChatError
from palaverd.failures import wording


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a retry policy (design 05). Times in seconds.

    `base` doubles with each attempt up to `cap`: an overload passes in seconds or lasts minutes,
    and more than a minute of waiting feels like a hang. `jitter` is the largest share put on top
    of a delay, so that many chats do not come back in one instant. `max_attempts` and
    `max_elapsed` end the turn: after that a person should know. A hint longer than `longest_hint`
    is not waited for at all: nobody watches a countdown of ten minutes.
    """

    base: float = 1.0
    cap: float = 60.0
    jitter: float = 0.2
    max_attempts: int = 10
    max_elapsed: float = 20 * 60.0
    longest_hint: float = 10 * 60.0


# Between two questions whether a model is loaded by now: seconds are what one feels, and a server
# that is busy reading gigabytes answers them by the way.
LOADING_S = 5.0

# Titles, compaction and summaries are not worth a long wait.
SIDE_POLICY = RetryPolicy(max_attempts=3)


class Wait(msgspec.Struct, frozen=True):
    """Try again in `delay_ms`: the one number for the timer, the event, the log, the countdown."""

    delay_ms: int

    @property
    def seconds(self) -> float:
        """The delay in seconds, for a timer."""
        return self.delay_ms / 1000


class GiveUp(msgspec.Struct, frozen=True):
    """The turn ends with `error`."""

    error: ChatError


def soon(policy: RetryPolicy, random: Random) -> Wait:
    """Return the wait before another model is asked: it knows nothing of the first one's load.

    Not nothing, lest many chats leave an overloaded provider for the next in one instant.
    """
    return _wait(policy.base, policy, random)


def while_loading(
    policy: RetryPolicy, error: ChatError, *, since: float, longest: float, random: Random
) -> Wait | GiveUp:
    """Say what follows while a model is loaded, for `since` seconds by now.

    It is asked every few seconds, for `longest` seconds at least; these are no attempts.
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
    """Say what follows on the failure of the `attempt`-th try (from 1).

    `elapsed` is seconds since the first try began; a wait that would end after
    `policy.max_elapsed` is not begun. `now` (aware) is used to say when to come back.
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
