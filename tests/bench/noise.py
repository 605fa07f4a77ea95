"""Measure the machine's noise, without Palaver."""

from __future__ import annotations

import time

from bench.figures import percentile

ROUNDS = 60
WORK = 200_000  # additions: about ten milliseconds


def spread() -> float:
    """Return how much longer fixed work takes at the 90th percentile than at the 10th."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        sum(range(WORK))
        taken.append(time.perf_counter() - began)
    return percentile(taken, 0.9) / percentile(taken, 0.1) - 1
