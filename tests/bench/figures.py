"""The results of a benchmark: figures, each with its baseline and its aim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from statistics import median


class Kind(Enum):
    """What an aim limits."""

    RATIO_AT_MOST = "≤ {:g}x"
    RATIO_AT_LEAST = "≥ {:g}x"
    VALUE_AT_MOST = "≤ {:g}"
    ADDED_AT_MOST = "≤ baseline + {:g}"


@dataclass(frozen=True)
class Aim:
    """A bound; `limit` is a ratio, or in the figure's unit."""

    kind: Kind
    limit: float

    def __str__(self) -> str:
        return self.kind.value.format(self.limit)


@dataclass(frozen=True)
class Figure:
    """One measured value.

    `baseline` was measured in the same run, in the same unit; `against` names it. `noise` is the
    spread of the ratio (or of the value, without a baseline) over the runs: the largest minus the
    smallest, as a part of the median.
    """

    what: str
    value: float
    unit: str
    baseline: float | None = None
    against: str = ""
    aim: Aim | None = None
    noise: float = 0.0

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without an aim."""
        if self.aim is None:
            return None
        limit, ratio, base = self.aim.limit, self.ratio or 0.0, self.baseline or 0.0
        return {
            Kind.RATIO_AT_MOST: ratio <= limit,
            Kind.RATIO_AT_LEAST: ratio >= limit,
            Kind.VALUE_AT_MOST: self.value <= limit,
            Kind.ADDED_AT_MOST: self.value <= base + limit,
        }[self.aim.kind]


@dataclass(frozen=True)
class Effort:
    """How much a benchmark does: 1 is enough for a stable figure, 0.01 checks that it runs."""

    scale: float = 1.0

    def count(self, full: int, least: int = 1) -> int:
        """Return how often to repeat what is repeated `full` times at full effort."""
        return max(least, round(full * self.scale))


def at_most(ratio: float) -> Aim:
    """Return an aim with an upper bound for the ratio."""
    return Aim(Kind.RATIO_AT_MOST, ratio)


def percentile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least `part` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def combine(runs: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Return the run with the median ratio for each figure, and the spread of the runs."""
    return [_combine([run[place] for run in runs]) for place in range(len(runs[0]))]


def _combine(same: Sequence[Figure]) -> Figure:
    def key(figure: Figure) -> float:
        return figure.ratio if figure.ratio is not None else figure.value

    ordered = sorted(same, key=key)
    middle = ordered[len(ordered) // 2]
    centre = median(key(figure) for figure in same)
    spread = (key(ordered[-1]) - key(ordered[0])) / centre if centre else 0.0
    return replace(middle, noise=spread)
