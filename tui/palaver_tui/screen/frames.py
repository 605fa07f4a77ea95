"""The scheduler of repaints: at most `FRAMES_PER_SECOND`, however fast changes arrive."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable
from time import perf_counter, thread_time

from textual.app import App

from palaver_tui.timing import FRAMES_PER_SECOND, REST_AFTER_FRAME


class FrameScheduler:
    """Merges requests into few calls of `paint`.

    The first request after a pause is served immediately. A paint that took much CPU time is
    followed by a longer rest, so that a very long paragraph reduces the frame rate and does not
    delay keys. Elapsed time does not count: a busy or suspended machine causes no longer rest.
    """

    def __init__(self, app: App[int], paint: Callable[[], None]) -> None:
        self._app = app
        self._paint = paint
        self._pending = False
        self._next = 0.0  # when the next paint may begin, in seconds of `perf_counter`
        self.painted = 0

    def request(self) -> None:
        """Schedule a paint as soon as the frame rate allows it."""
        if self._pending or not self._app.is_running:
            return
        self._pending = True
        wait = self._next - perf_counter()
        if wait <= 0:
            self._app.call_next(self._run)
        else:
            # Not with Textual's timers: one that is due before its task begins never fires, and
            # the screen would not be painted any more.
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
            # Also after a failed paint: its error may request the next one.
            took = thread_time() - worked
            self._next = began + max(1 / FRAMES_PER_SECOND, took * (1 + REST_AFTER_FRAME))
