"""When keys may answer a question that has appeared: nobody answers one by accident. Pure.

Keys do nothing for some time after it appeared, and after the last key that was typed for something
else. Times are in seconds, of any clock that only goes forward.
"""

from __future__ import annotations

from palaver_tui.timing import QUESTION_SHOWN_S, TYPED_ELSEWHERE_S


class KeyGuard:
    """Knows which question is shown, since when, and when a key was typed last."""

    def __init__(self) -> None:
        self.shown: str | None = None  # the id of its call
        self._since = 0.0
        self._typed: float | None = None
        self._ready = False

    def show(self, call_id: str | None, now: float) -> None:
        """Record the question that is drawn now; None for none."""
        if call_id != self.shown:
            self.shown, self._since, self._ready = call_id, now, False

    def key(self, now: float) -> None:
        """Record a key: until the question may be answered, it is for something else."""
        self.ready(now)
        self._typed = now

    def ready(self, now: float) -> bool:
        """Return whether keys answer the question. Once they do, they do until it is gone."""
        if self.shown is None:
            return False
        is_seen = now - self._since >= QUESTION_SHOWN_S
        is_quiet = self._typed is None or now - self._typed >= TYPED_ELSEWHERE_S
        self._ready = self._ready or (is_seen and is_quiet)
        return self._ready
