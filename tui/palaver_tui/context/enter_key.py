"""When Enter was pressed: a second Enter right after the first is no decision of its own."""

from __future__ import annotations

from palaver.clock import Clock
from palaver_tui.timing import SAME_STROKE_S

NEVER = float("-inf")


class EnterKey:
    """Records whether the last two keys were Enter, and when.

    `edits` are those of the composer: a text that was pasted in between needs an Enter of its own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = self._before = NEVER  # monotonic seconds
        self._edits = 0

    def note(self, key: str, edits: int) -> None:
        """Record the time if the key about to be handled is Enter."""
        now = self._clock.monotonic() if key == "enter" else NEVER
        before = self._last if edits == self._edits else NEVER
        self._last, self._before, self._edits = now, before, edits

    @property
    def came_twice(self) -> bool:
        """Whether this Enter came within `SAME_STROKE_S` of another: it was not meant then."""
        return self._clock.monotonic() - self._before <= SAME_STROKE_S
