"""The daemon's metrics, as plain numbers without any exporter.

Labels have few values: names from the configuration and from our own tables, never text of a
request. Beyond `MOST_LABELS` label sets, the rest is counted as "other".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final

MOST_LABELS: Final = 200
OTHER: Final = "other"

# Upper bounds in seconds. A model's first token takes from a tenth of a second to more than a
# minute, what Palaver adds to a delta some hundred microseconds, a transaction a millisecond.
FIRST_TOKEN_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
ADDED_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
TRANSITION_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)


class Counts:
    """Counters, one for each set of labels."""

    def __init__(self, *labels: str) -> None:
        self.labels = labels
        self.values: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str, by: int = 1) -> None:
        """Increment the counter of `labels` by `by`."""
        labels = _bounded(self.values, labels)
        self.values[labels] = self.values.get(labels, 0) + by


class Spread:
    """A histogram: `counts[i]` counts values up to `bounds[i]`, the last one values beyond."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Record a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Spreads:
    """Histograms, one for each set of labels."""

    def __init__(self, bounds: Sequence[float], *labels: str) -> None:
        self.labels = labels
        self._bounds = bounds
        self.values: dict[tuple[str, ...], Spread] = {}

    def add(self, value: float, *labels: str) -> None:
        """Record a value."""
        labels = _bounded(self.values, labels)
        spread = self.values.get(labels)
        if spread is None:
            spread = self.values[labels] = Spread(self._bounds)
        spread.add(value)


class Metrics:
    """All metrics of a daemon. Used from one event loop."""

    def __init__(self) -> None:
        self.attempts = Counts("provider")
        self.failures = Counts("provider", "kind")
        self.leases_lost = Counts()
        self.first_token = Spreads(FIRST_TOKEN_S, "provider")
        self.added = Spread(ADDED_S)
        self.transitions = Spreads(TRANSITION_S, "transition")


def _bounded(values: Mapping[tuple[str, ...], object], labels: tuple[str, ...]) -> tuple[str, ...]:
    if labels in values or len(values) < MOST_LABELS:
        return labels
    return (OTHER,) * len(labels)
