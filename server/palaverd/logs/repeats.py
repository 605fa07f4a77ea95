"""Limits how often the same log line is written, while an error repeats."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

import msgspec

# Seconds for which a repeated line is dropped, doubled each time up to LAST_S: an operator sees at
# once that something is wrong, and later that it still is.
FIRST_S = 1.0
LAST_S = 60.0
# Lines to remember; the least recently logged ones are forgotten.
REMEMBERED = 1000


class _Line(msgspec.Struct):
    """When a line may be logged again, and how many were dropped since it last was."""

    wait: float
    due: float
    came: float
    left_out: int = 0


class Repeats:
    """Decides whether a line is logged. `monotonic` returns seconds. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lines: dict[Hashable, _Line] = {}
        self._lock = threading.Lock()

    def passes(self, key: Hashable) -> int | None:
        """Return how many lines with this key were dropped since the last; None to drop this one.

        The first line passes, and so does one after `LAST_S` without any.
        """
        with self._lock:
            now = self._monotonic()
            line = self._lines.pop(key, None)
            if line is None or now - line.came >= LAST_S:
                left_out = 0 if line is None else line.left_out
                line = _Line(wait=FIRST_S, due=now + FIRST_S, came=now)
            elif now < line.due:
                line.left_out += 1
                left_out = None
            else:
                left_out = line.left_out
                wait = min(LAST_S, 2 * line.wait)
                line = _Line(wait=wait, due=now + wait, came=now)
            line.came = now
            self._lines[key] = line  # at the end: the first one is the least recent
            if len(self._lines) > REMEMBERED:
                del self._lines[next(iter(self._lines))]
            return left_out
