"""Delays between attempts to reconnect: exponential, with jitter."""

from __future__ import annotations

from random import Random

from palaver.client.limits import BACKOFF_FIRST_S, BACKOFF_MAX_S


class Backoff:
    """Exponential delays with jitter.

    The n-th wait is drawn from the upper half of `BACKOFF_FIRST_S` x 2^n (at most
    `BACKOFF_MAX_S`), so that many clients of one daemon do not reconnect at the same instant.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0

    def next(self) -> float:
        """Return the delay after another failure, in seconds."""
        # 2^16 x 0.5 s is far over the maximum; unbounded, the power would overflow in a week.
        longest = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return self._random.uniform(longest / 2, longest)

    def reset(self) -> None:
        """Start over: the connection works."""
        self._failures = 0
