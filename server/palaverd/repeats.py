"""Keeps a log readable while the same thing goes wrong again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

import msgspec

# A line that was just logged is left out for this long when it comes again, each time twice as
# long, up to the last: a person sees at once that something is wrong, and later that it still is.
FIRST_S = 1.0
LAST_S = 60.0
# Lines that are remembered; the ones that are quiet for longest are forgotten.
REMEMBERED = 1000


class _Line(msgspec.Struct):
    """When a line may be logged again, and what was left out since it was."""

    wait: float
    due: float
    came: float
    left_out: int = 0


class Repeats:
    """Decides for each line whether it is logged. `monotonic` returns seconds. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lines: dict[Hashable, _Line] = {}
        self._lock = threading.Lock()

    def passes(self, key: Hashable) -> int | None:
        """Return how many lines with this key were left out since the last; None to leave it out.

        The first line passes, and one after a quiet time of `LAST_S` is a first one again.
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
            self._lines[key] = line  # at the end: the first one is quiet for longest
            if len(self._lines) > REMEMBERED:
                del self._lines[next(iter(self._lines))]
            return left_out
