"""The benchmarks by name."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from bench import (
    beginning,
    client_start,
    crowd,
    fan_out,
    live,
    pages,
    searching,
    slow_reader,
    starting,
    steady,
    stopping,
    terminal,
    terminal_feel,
    terminal_usual,
    transitions,
)
from bench.figures import Effort, Figure

Benchmark = Callable[[Effort], Coroutine[Any, Any, list[Figure]]]

BENCHMARKS: dict[str, Benchmark] = {
    "transitions": transitions.run,
    "pages": pages.run,
    "search": searching.run,
    "begin": beginning.run,
    "latency": live.latency,
    "cpu": live.cpu,
    "fan_out": fan_out.run,
    "steady": steady.run,
    "crowd": crowd.run,
    "slow_reader": slow_reader.run,
    "stop": stopping.run,
    "start": starting.run,
    "client_start": client_start.run,
    "terminal": terminal.run,
    "terminal_feel": terminal_feel.run,
    "terminal_usual": terminal_usual.run,
}
