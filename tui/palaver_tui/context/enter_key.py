"""When Enter was pressed: a second Enter right after the first is no decision of its own."""

from __future__ import annotations

from palaver_tui.timing import SAME_STROKE_S


class EnterKey:
    """Records whether the last two keys were Enter, and when they were pressed.

    `edits` are those of the composer: a text that was pasted in between needs an Enter of its own.
    """

    def __init__(self) -> None:
        self._last: float | None = None  # when Enter was pressed; None: the key was another one
        self._before: float | None = None
        self._edits = 0

    def note(self, key: str, pressed: float, edits: int) -> None:
        """Record the key about to be handled.

        `pressed` is when it came, in seconds: it may have waited long for the key before it.
        """
        before = self._last if edits == self._edits else None
        self._last, self._before, self._edits = pressed if key == "enter" else None, before, edits

    @property
    def came_twice(self) -> bool:
        """Whether the last key is an Enter within `SAME_STROKE_S` of another: it was not meant."""
        if self._last is None or self._before is None:
            return False
        return self._last - self._before <= SAME_STROKE_S
