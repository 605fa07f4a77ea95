"""When Enter was pressed: an Enter right after another one is no decision."""

from __future__ import annotations

from palaver.clock import Clock
from palaver_tui.timing import SAME_STROKE_S

NEVER = float("-inf")


class EnterKey:
    """Knows when the last key was Enter, and the one before it, wherever they went."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = self._before = NEVER  # monotonic seconds

    def note(self, key: str) -> None:
        """Take note of a key that is about to be handled."""
        now = self._clock.monotonic() if key == "enter" else NEVER
        self._last, self._before = now, self._last

    @property
    def came_twice(self) -> bool:
        """Whether this Enter followed another: it is no answer to what the first has changed."""
        return self._clock.monotonic() - self._before <= SAME_STROKE_S
