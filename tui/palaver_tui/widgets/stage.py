"""Stage: the frame around the conversation, with notices over its upper edge."""

from __future__ import annotations

from textual.containers import Container
from textual.geometry import Size, Spacing
from textual.layout import ArrangeResult
from textual.layouts.vertical import VerticalLayout
from textual.widget import Widget

from palaver_tui.textual_patches.notices import notice_rack

HEADER_ROWS = 1
# With fewer rows a notice would cover the parts below: then notices begin on the header's row.
LEAST_ROWS = 2


class NewestFirst(VerticalLayout):
    """A layout of notices with the newest on top: if room is short, older ones are cut off."""

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Place `children`."""
        return super().arrange(parent, children[::-1], size, greedy)


class Stage(Container):
    """The frame around the conversation. Notices are placed in its rows and columns.

    So they do not cover banner, queue and composer, which are below it.
    """

    def on_resize(self) -> None:
        """Fit the notices into the current size."""
        rack = notice_rack(self.screen)
        if rack is None:
            return  # notices are switched off
        region = self.region
        top = HEADER_ROWS if region.height >= LEAST_ROWS else 0
        # The attribute `layout` accepts only names of layouts.
        rack.styles.inline.set_rule("layout", NewestFirst())
        rack.styles.margin = Spacing(top, 0, 0, region.x + 1)
        rack.styles.width = max(1, region.width - 2)  # the corners of the frame stay free
        rack.styles.max_height = max(1, region.bottom - top)
