"""Compute how long the attempts on a history have taken, from their journal. Pure.

A limit counts for the turn: a task that resumes a turn adds to the time of the tasks before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from palaver.wire.errors import FailureKind
from palaverd.failures.fallback import Tried

LOADING: FailureKind = "loading"


class Spent(msgspec.Struct, frozen=True):
    """Seconds spent in attempts, and seconds since the model began loading.

    `loading` is None unless the last attempt ended because the model was loading.
    """

    attempts: float
    loading: float | None = None


def spent(tried: Sequence[Tried], now: int, longest_pause: float) -> Spent:
    """Return the time spent up to `now` (milliseconds since the epoch).

    At most `longest_pause` seconds count between the starts of two attempts: a longer pause means
    that no task worked on the turn, for example while the daemon was stopped. Loading time does not
    count as time of attempts.
    """
    begins = [*(one.started_at for one in tried), now]
    pauses = [
        min(max(0, after - before) / 1000, longest_pause) for before, after in pairwise(begins)
    ]
    attempts = sum(pause for one, pause in zip(tried, pauses, strict=True) if not _loads(one))
    if not tried or not _loads(tried[-1]):
        return Spent(attempts)
    last = next((n for n, one in enumerate(reversed(tried)) if not _loads(one)), len(tried))
    return Spent(attempts, sum(pauses[len(pauses) - last :]))


def _loads(one: Tried) -> bool:
    return one.outcome == LOADING
