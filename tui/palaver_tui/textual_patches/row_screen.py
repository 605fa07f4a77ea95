"""Screen that draws only changed rows, at a higher rate, and nothing before it has contents.

Textual creates a screen's compositor and its timer for drawing at 60 Hz itself: neither can be
passed in. Without this a frame of an answer draws every row of every widget, and a key may wait
33 ms for the next update. And Textual draws a screen while its widgets are mounted: without `hold`
the client's first frames are empty ones, each as costly as the one that counts.
"""

from __future__ import annotations

from textual.screen import Screen, ScreenResultType
from textual.timer import Timer

from palaver_tui.textual_patches.row_compositor import RowCompositor
from palaver_tui.timing import SCREEN_UPDATES_PER_SECOND


class RowScreen(Screen[ScreenResultType]):
    """A screen with a `RowCompositor`, drawn at `SCREEN_UPDATES_PER_SECOND` unless it is held."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._compositor = RowCompositor()
        self._updates: Timer | None = None
        self._held = self._is_drawn = False
        self.draws_first = False  # the first frame is being drawn, or could not be drawn

    def hold(self) -> None:
        """Draw nothing until `release`."""
        self._held = True

    def release(self) -> None:
        """Draw the whole screen soon, and from now on what changes."""
        self._held = False
        self._repaint_required = False  # the layout draws all that has changed until now
        self.refresh(repaint=False, layout=True)

    def _compositor_refresh(self) -> None:
        if self._held:
            return
        self.draws_first = not self._is_drawn
        super()._compositor_refresh()
        self._is_drawn, self.draws_first = True, False

    @property
    def _update_timer(self) -> Timer:
        """The timer that draws the screen while a region is dirty."""
        if self._updates is None:
            self._updates = self.set_interval(
                1 / SCREEN_UPDATES_PER_SECOND, self._on_timer_update, pause=True
            )
        return self._updates
