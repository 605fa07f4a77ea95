"""The conversation: one widget that draws lines."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from palaver_tui.actions import bindings
from palaver_tui.layout.column import Anchor, Column
from palaver_tui.layout.folding import Folds
from palaver_tui.layout.sections import Look
from palaver_tui.timing import FOLLOW_TOLERANCE, OLDER_WITHIN_LINES
from palaver_tui.view.chat import ChatView
from palaver_tui.widgets.drawing import palette_of, strip_of

MAX_COLUMN = 104  # cells; longer lines are hard to read, however wide the window is
MARGIN = 2


class Transcript(ScrollView, can_focus=True):
    """Shows a `ChatView`. Follows its end until the person scrolls; then the view stands still."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("transcript")

    class NearStart(Message):
        """The first line there is comes into view: there may be older ones."""

    class Moved(Message):
        """The view follows or does not, or what is new below it changed."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="transcript")
        self.column = Column(look)
        self.following = True
        self.new_lines = 0
        self._view: ChatView | None = None
        self._chat: str | None = None
        self._seen_end: Anchor | None = None
        self._top: Anchor | None = None
        self._folds: dict[object, Folds] = {}  # of the chats that were shown before
        self._moving = False  # we scroll, not the person

    # --- showing --------------------------------------------------------------------------

    def show(self, view: ChatView, name: str, model: str | None) -> None:
        """Show `view`; another `name` is another chat, which begins at its end.

        `model` is who answers, as far as is known.
        """
        if name != self._chat:
            renamed = self._view is not None and self._view.messages == view.messages
            before, self._chat = self._chat, name
            if not renamed or not view.messages:
                self._folds[before] = self.column.assembly.folds
                self.column = Column(self.column.assembly.look)
                self.column.set_folds(self._folds.pop(name, Folds()))
                self.following, self._top, self.new_lines = True, None, 0
        elif view is self._view:
            return
        self._view = view
        self.column.assembly.model = model
        self.column.show(view, reading=not self.following)
        self._settle()

    def set_look(self, look: Look) -> None:
        """Show messages in another way; to be called before there are any."""
        self.column = Column(look)

    @property
    def folds(self) -> Folds:
        """What is folded in the chat that is shown."""
        return self.column.assembly.folds

    def set_folds(self, folds: Folds, row: int | None = None) -> None:
        """Fold and unfold, line `row` of the view staying where it is: the first one, or this."""
        held = self.column.anchor(self.scroll_offset.y + (row or 0))
        self.column.set_folds(folds)
        if self._view is None:
            return
        self.column.show(self._view, reading=not self.following)
        if row is None or held is None:
            self._settle()
            return
        self.column.measure(self.scroll_offset.y, self.scrollable_content_region.height)
        found = self.column.position(held)
        if found is not None:
            self._put(max(0, found - row))

    @property
    def column_width(self) -> int:
        """The cells that text may take."""
        return max(20, min(MAX_COLUMN, self.scrollable_content_region.width - MARGIN))

    def _settle(self) -> None:
        """Measure what is in view, and put it where it was."""
        height = self.scrollable_content_region.height
        if not height:
            return
        self.column.set_width(self.column_width)
        if self.following:
            self.column.measure_tail(height)
            top = max(0, self.column.height - height)
        else:
            top = self._measure_from(self._top, height)
        self._apply(top)

    def _measure_from(self, anchor: Anchor | None, height: int) -> int:
        found = self.column.position(anchor) if anchor is not None else None
        top = self.scroll_offset.y if found is None else found
        if self.column.measure(top, height) and anchor is not None:
            # The anchor's own section may have been an estimate: find the line once more.
            found = self.column.position(anchor)
            top = top if found is None else found
            self.column.measure(top, height)
        return max(0, min(top, self.column.height - height))

    def _apply(self, top: int) -> None:
        size = Size(self.scrollable_content_region.width, self.column.height)
        self._moving = True
        try:
            if size != self.virtual_size:
                self.virtual_size = size
            if self.scroll_offset.y != top or self.scroll_target_y != top:
                self.set_reactive(Transcript.scroll_target_y, top)
                self.scroll_y = top
            # The bar may have come into being with this very layout, after the last scroll.
            self.vertical_scrollbar.position = top
        finally:
            self._moving = False
        self._remember(top)
        self.refresh()

    def _remember(self, top: int) -> None:
        self._top = self.column.anchor(top)
        before = self.new_lines
        if self.following:
            self._seen_end, self.new_lines = None, 0
        elif self._seen_end is not None:
            seen = self.column.position(self._seen_end)
            self.new_lines = 0 if seen is None else max(0, self.column.height - 1 - seen)
        if before != self.new_lines:
            self.post_message(self.Moved())
        if top <= OLDER_WITHIN_LINES and self._view is not None and self._view.older:
            self.post_message(self.NearStart())

    # --- scrolling ------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Keep what is in view measured, whoever scrolls; note when the person does."""
        super().watch_scroll_y(old_value, new_value)
        if self._moving or round(old_value) == round(new_value):
            return
        self._scrolled(round(old_value), round(new_value))

    def _scrolled(self, old: int, new: int) -> None:
        height = self.scrollable_content_region.height
        was_following = self.following
        end = self.column.height - height
        self.following = new >= end - FOLLOW_TOLERANCE
        if was_following and not self.following:
            self._seen_end = self.column.anchor(self.column.height - 1)
        # Lines above were an estimate until now: what was in view stays at its distance.
        held = self.column.anchor(old) if abs(new - old) <= 2 * height else None
        self.column.measure(new, height + max(0, old - new))
        found = self.column.position(held) if held is not None else None
        top = new if found is None else found + (new - old)
        self._apply(max(0, min(top, self.column.height - height)))
        if was_following != self.following:
            self.post_message(self.Moved())

    def _put(self, top: int) -> None:
        """Make `top` the first line in view, as far as there are lines below it."""
        height = self.scrollable_content_region.height
        was_following = self.following
        end = max(0, self.column.height - height)
        self.following = top >= end - FOLLOW_TOLERANCE
        if was_following and not self.following:
            self._seen_end = self.column.anchor(self.column.height - 1)
        self.column.measure(top, height)
        self._apply(max(0, min(top, self.column.height - height)))
        if was_following != self.following:
            self.post_message(self.Moved())

    def follow(self) -> None:
        """Go to the end, and stay there."""
        self.following = True
        self._settle()
        self.post_message(self.Moved())

    def move(self, lines: int) -> None:
        """Scroll by `lines`."""
        self.scroll_to(y=max(0, self.scroll_offset.y + lines), animate=False)

    def to_start(self) -> None:
        """Go to the first line there is."""
        self.scroll_to(y=0, animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Lay out for the new width; the first visible line stays the first."""
        self._settle()

    # --- drawing --------------------------------------------------------------------------

    def redraw(self) -> None:
        """Forget all strips: the theme changed."""
        for section in self.column.sections:
            section.cache.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the view."""
        width = self.scrollable_content_region.width
        number = self.scroll_offset.y + y
        strip = self._strip(number)
        selection = self.text_selection
        if selection is not None:
            strip = self._with_selection(strip, selection, number)
        return strip.crop_extend(0, width, self.rich_style).apply_offsets(0, number)

    def _strip(self, number: int) -> Strip:
        section, index, line = self.column.line(number)
        palette = palette_of(self.app)
        width = self.column.width
        if section is None:
            return strip_of(line, width, palette)
        cache = section.cache
        if index >= len(cache):
            cache.extend([None] * (index + 1 - len(cache)))
        strip = cache[index]
        if not isinstance(strip, Strip):
            strip = strip_of(line, width, palette, MARGIN)
            cache[index] = strip
        return strip

    # --- selecting ------------------------------------------------------------------------

    def _with_selection(self, strip: Strip, selection: Selection, number: int) -> Strip:
        span = selection.get_span(number)
        if span is None:
            return strip
        start, end = span
        end = len(strip.text.rstrip()) if end == -1 else end
        marked: Style = self.screen.get_component_rich_style("screen--selection")
        at = 0
        segments: list[Segment] = []
        for text, style, _control in strip:
            left, right = max(0, start - at), max(0, end - at)
            pieces = ((text[:left], style), (text[left:right], marked), (text[right:], style))
            segments += [
                Segment(piece, (style + marked) if style and how is marked else how)
                for piece, how in pieces
                if piece
            ]
            at += len(text)
        return Strip(segments, strip.cell_length)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text without the margin it is set in."""
        self.column.measure(0, self.column.height)
        text = "\n".join(self.column.line(y)[2].text for y in range(self.column.height))
        lines = selection.extract(text).split("\n")
        return "\n".join(
            line.removeprefix("▎ ").removeprefix("  ").rstrip() for line in lines
        ), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what is selected now."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Open the link under the pointer."""
        link = event.style.meta.get("link")
        if isinstance(link, str):
            event.stop()
            self.app.open_url(link)
