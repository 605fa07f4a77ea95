"""Bar: the widget of the header and of the footer."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.widgets.strips import palette_of, strip_of


class Bar(Widget):
    """A widget that shows given lines."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._lines: list[Line] = []

    def show(self, lines: list[Line]) -> None:
        """Show `lines`; nothing is drawn again if they are the same."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the strip of line `y`."""
        line = self._lines[y] if y < len(self._lines) else Line()
        strip = strip_of(line, self.size.width, palette_of(self.app))
        return strip.crop_extend(0, self.size.width, self.rich_style)


MUTED = Face("muted")
SEPARATOR = Span(" · ", Face("faint"))
