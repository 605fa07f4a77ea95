"""Repaints, at most so many a second however fast changes come."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable
from time import perf_counter, thread_time

from textual.app import App

from palaver_tui.timing import FRAMES_PER_SECOND, REST_AFTER_FRAME


class FrameScheduler:
    """Turns any number of requests into few calls of `paint`.

    The first request after a pause is served at once. A paint that was much work is followed by a
    longer rest, so that a very long paragraph costs frames and not the keyboard. It is the work
    that counts, and not the time: after a machine that was busy or asleep nothing is made up for.
    """

    def __init__(self, app: App[int], paint: Callable[[], None]) -> None:
        self._app = app
        self._paint = paint
        self._pending = False
        self._next = 0.0  # when the next paint may begin, by the machine's own counter
        self.painted = 0

    def request(self) -> None:
        """Ask for a paint soon."""
        if self._pending or not self._app.is_running:
            return
        self._pending = True
        wait = self._next - perf_counter()
        if wait <= 0:
            self._app.call_next(self._run)
        else:
            # Not by Textual's timers: one that is due before its task begins never fires, and all
            # that is shown would stand still from then on.
            get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        if self._app.is_running:
            self._app.call_next(self._run)

    def _run(self) -> None:
        self._pending = False
        began, worked = perf_counter(), thread_time()
        try:
            self._paint()
            self.painted += 1
        finally:
            # A paint that failed has its rest too: what asks for the next may be its own error.
            took = thread_time() - worked
            self._next = began + max(1 / FRAMES_PER_SECOND, took * (1 + REST_AFTER_FRAME))
