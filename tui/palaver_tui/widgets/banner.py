"""Banner: what happened, and the keys that help, between the conversation and the composer."""

from __future__ import annotations

from msgspec.structs import replace
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from palaver_tui.state.banner import Banner
from palaver_tui.text.spans import Face, Line, Span
from palaver_tui.text.wrap import width_of, wrap
from palaver_tui.widgets.strips import palette_of, strip_of

MAX_TEXT_ROWS = 4
# Rows of everything else: three of the composer, three of the conversation, one of the queue, and
# two of the banner's frame.
OTHERS_ROWS = 9
LEAST_ROWS = 2  # inside the frame: a sentence and the keys, even if the conversation has one row


class BannerBox(Widget):
    """The widget of a `Banner`; hidden if there is none."""

    def __init__(self) -> None:
        super().__init__(id="banner")
        self._banner: Banner | None = None
        self._lines: list[Line] = []
        self._laid_in = (0, 0)

    def show(self, banner: Banner | None) -> None:
        """Show `banner`; None hides the widget."""
        room = self.room
        if banner == self._banner and room == self._laid_in:
            return
        self._banner = banner
        self.display = banner is not None
        if banner is None:
            return
        self.set_class(banner.tone == "error", "-error")
        self.border_title = Content(banner.title)
        self.border_subtitle = None
        self._set(banner, room)

    def _set(self, banner: Banner, room: tuple[int, int]) -> None:
        self._laid_in = room
        self._lines = self._layout(banner, *room)
        self.styles.height = len(self._lines) + 2
        self.refresh()

    def on_resize(self) -> None:
        """Lay out again if the room changed, which is known only after the banner appeared."""
        if self._banner is not None and self.room != self._laid_in:
            self._set(self._banner, self.room)

    @property
    def rows(self) -> int:
        """The number of its rows, including the frame; 0 if hidden."""
        return len(self._lines) + 2 if self.display else 0

    @property
    def room(self) -> tuple[int, int]:
        """Cells and rows inside the frame that leave the composer in view."""
        parent = self.parent
        outer = parent.size if isinstance(parent, Widget) else self.size
        rows = max(outer.height - OTHERS_ROWS, min(LEAST_ROWS, outer.height - OTHERS_ROWS + 2))
        return max(10, outer.width - 4), max(1, rows)

    def _layout(self, banner: Banner, width: int, rows: int) -> list[Line]:
        spans = wrap([Span(banner.text)], width)[:MAX_TEXT_ROWS]
        lines = [Line(row) for row in spans]
        if banner.detail:
            lines += [Line(row) for row in wrap([Span(banner.detail, Face("muted"))], width)[:3]]
        # The keys matter more than the code and the end of the text: the conversation has both. In
        # a single row only keys are shown, as the frame has a title.
        keys = _key_rows(banner, width)
        if len(keys) >= rows:
            keys = _key_rows(replace(banner, code=""), width)[: max(1, rows - 1)]
        return [*lines[: rows - len(keys)], *keys]

    def render_line(self, y: int) -> Strip:
        """Return the strip of line `y` inside the frame."""
        width = self.size.width
        line = self._lines[y] if y < len(self._lines) else Line()
        return strip_of(line, width, palette_of(self.app)).crop_extend(0, width, self.rich_style)


def _key_rows(banner: Banner, width: int) -> list[Line]:
    """Lay out the status code and the keys, without clipping, in as many lines as needed."""
    pairs = [(Span(""), Span(banner.code, Face("muted")))] if banner.code else []
    for key, _action, label in banner.keys:
        pairs.append((Span(key, Face("accent")), Span(f" {label}", Face("muted"))))
    lines: list[Line] = []
    spans: list[Span] = []
    used = 0
    for key_span, label_span in pairs:
        size = width_of(key_span.text) + width_of(label_span.text)
        if spans and used + 3 + size > width:
            lines.append(Line(tuple(spans)))
            spans, used = [], 0
        if spans:
            spans.append(Span("   "))
            used += 3
        spans += [key_span, label_span]
        used += size
    return [*lines, Line(tuple(spans))] if spans else lines
