"""When Enter was pressed: a second Enter right after the first confirms nothing."""

from __future__ import annotations

from palaver.clock import Clock
from palaver_tui.timing import SAME_STROKE_S

NEVER = float("-inf")


class EnterKey:
    """Records whether the last two keys were Enter, and when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = self._before = NEVER  # monotonic seconds

    def note(self, key: str) -> None:
        """Record the time if the key about to be handled is Enter."""
        now = self._clock.monotonic() if key == "enter" else NEVER
        self._last, self._before = now, self._last

    @property
    def came_twice(self) -> bool:
        """Whether this Enter came within `SAME_STROKE_S` of another: it confirms nothing then."""
        return self._clock.monotonic() - self._before <= SAME_STROKE_S
