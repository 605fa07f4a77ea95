"""The benchmarks by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bench import live, pages, transitions
from bench.figures import Effort, Figure

Benchmark = Callable[[Effort], Awaitable[list[Figure]]]

BENCHMARKS: dict[str, Benchmark] = {
    "transitions": transitions.run,
    "pages": pages.run,
    "latency": live.latency,
    "cpu": live.cpu,
}
