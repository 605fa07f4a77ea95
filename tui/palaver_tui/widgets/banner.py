"""The banner between the conversation and the composer."""

from __future__ import annotations

from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from palaver_tui.layout.faces import Face, Line, Span
from palaver_tui.layout.wrap import wrap
from palaver_tui.view.banner import Banner
from palaver_tui.widgets.drawing import palette_of, strip_of

MAX_TEXT_ROWS = 4


class BannerBox(Widget):
    """Draws one `Banner`, or takes no room."""

    def __init__(self) -> None:
        super().__init__(id="banner")
        self._banner: Banner | None = None
        self._lines: list[Line] = []
        self._laid_width = 0

    def show(self, banner: Banner | None) -> None:
        """Show `banner`."""
        width = self.container_width
        if banner == self._banner and width == self._laid_width:
            return
        self._banner, self._laid_width = banner, width
        self.display = banner is not None
        if banner is None:
            return
        self.set_class(banner.tone == "error", "-error")
        self.border_title = Content(banner.title)
        self.border_subtitle = None
        self._lines = self._layout(banner, width)
        self.styles.height = len(self._lines) + 2
        self.refresh()

    @property
    def container_width(self) -> int:
        """The cells inside the frame."""
        parent = self.parent
        outer = parent.size.width if isinstance(parent, Widget) else self.size.width
        return max(10, outer - 4)

    def _layout(self, banner: Banner, width: int) -> list[Line]:
        spans = wrap([Span(banner.text)], width)[:MAX_TEXT_ROWS]
        lines = [Line(row) for row in spans]
        if banner.detail:
            lines += [Line(row) for row in wrap([Span(banner.detail, Face("muted"))], width)[:3]]
        keys: list[Span] = []
        if banner.code:
            keys.append(Span(banner.code + ("   " if banner.keys else ""), Face("muted")))
        for key, _action, label in banner.keys:
            keys += [Span(key, Face("accent")), Span(f" {label}   ", Face("muted"))]
        if keys:
            lines.append(Line(tuple(keys)))
        return lines

    def render_line(self, y: int) -> Strip:
        """Return line `y` inside the frame."""
        width = self.size.width
        line = self._lines[y] if y < len(self._lines) else Line()
        return strip_of(line, width, palette_of(self.app)).crop_extend(0, width, self.rich_style)
