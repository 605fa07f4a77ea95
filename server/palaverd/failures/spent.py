"""How long the attempts on a history have taken, read from their journal. Pure.

A task that goes on after another one begins where that stopped: a limit counts for the turn, not
for each of the tasks that worked on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from palaver.wire.errors import FailureKind
from palaverd.failures.fallback import Tried

LOADING: FailureKind = "loading"


class Spent(msgspec.Struct, frozen=True):
    """Seconds that went into attempts, and those since the model was said to be loading.

    `loading` is None where the last attempt did not end so.
    """

    attempts: float
    loading: float | None = None


def spent(tried: Sequence[Tried], now: int, longest_pause: float) -> Spent:
    """Return what was spent up to `now` (milliseconds since the epoch).

    Between the beginnings of two attempts at most `longest_pause` seconds count: for more than
    that nobody was at it, as when the daemon did not run. Time of loading is no attempts' time.
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
