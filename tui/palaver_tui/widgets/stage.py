"""Where the conversation is shown, and over its upper edge what is said in passing."""

from __future__ import annotations

from textual.containers import Container
from textual.geometry import Size, Spacing
from textual.layout import ArrangeResult
from textual.layouts.vertical import VerticalLayout
from textual.widget import Widget

from palaver_tui.textual_patches.notices import notice_rack

HEADER_ROWS = 1
# With fewer rows of its own a notice would reach over what is below: it takes the header's too.
LEAST_ROWS = 2


class NewestFirst(VerticalLayout):
    """Notices under each other, the last one on top: where room is short, older ones give way."""

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Place `children`."""
        return super().arrange(parent, children[::-1], size, greedy)


class Stage(Container):
    """The frame around the conversation. Notices keep to its rows and columns.

    So they cover no part that one works with: banner, queue and composer are below it.
    """

    def on_resize(self) -> None:
        """Fit the notices into the current size."""
        rack = notice_rack(self.screen)
        if rack is None:
            return  # notices are switched off
        region = self.region
        top = HEADER_ROWS if region.height >= LEAST_ROWS else 0
        # Textual takes only the name of a layout that is set as an attribute.
        rack.styles.inline.set_rule("layout", NewestFirst())
        rack.styles.margin = Spacing(top, 0, 0, region.x + 1)
        rack.styles.width = max(1, region.width - 2)  # the corners of the frame stay free
        rack.styles.max_height = max(1, region.bottom - top)
