"""Transcript widget: draws a viewport of the conversation and handles mouse and scrolling."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.timer import Timer

from palaver_tui.keymap.bindings import bindings
from palaver_tui.state.chat import ChatView
from palaver_tui.textual_patches.error_containment import guarded_lines
from palaver_tui.textual_patches.scroll_bar import move_bar
from palaver_tui.timing import DRAG_SCROLL_S, LAYOUT_PAUSE_S, LAYOUT_REST_AFTER_S
from palaver_tui.transcript.landing import Landing
from palaver_tui.transcript.look import Look
from palaver_tui.transcript.marks import Mark, dropped_marks
from palaver_tui.transcript.search import Search
from palaver_tui.transcript.selection import Selection
from palaver_tui.transcript.target_cursor import TargetCursor
from palaver_tui.transcript.targets import Target
from palaver_tui.transcript.viewport import Viewport
from palaver_tui.widgets.strips import palette_of
from palaver_tui.widgets.transcript.background import (
    BackgroundLayout,
    BackgroundPictures,
    search_on,
)
from palaver_tui.widgets.transcript.dirty_rows import DirtyRows
from palaver_tui.widgets.transcript.mark_styles import marked
from palaver_tui.widgets.transcript.strip_cache import Dress, StripCache

MAX_COLUMN = 104  # cells; longer lines are hard to read, however wide the window is
MIN_COLUMN = 20
MARGIN = 2


class Transcript(ScrollView, can_focus=True):
    """The widget that shows a `ChatView` through a `Viewport`."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("transcript")
    ALLOW_SELECT = False  # `Selection` selects text; Textual would select cells

    class Near(Message):
        """Posted when messages that can be fetched are near the view.

        `scrolled`: the user scrolled since the last one; else what is shown changed.
        """

        def __init__(self, scrolled: bool) -> None:
            super().__init__()
            self.scrolled = scrolled

    class NearStart(Near):
        """The first line is near the view, and there are older messages."""

    class NearGap(Near):
        """A gap of missing messages is near the view."""

    class Marked(Message):
        """Posted when the selection by mouse or the matches of the search changed."""

    class Used(Message):
        """Posted when a target was clicked."""

        def __init__(self, target: Target) -> None:
            super().__init__()
            self.target = target

    class Moved(Message):
        """Posted when following the end, or the number of new lines below, changed."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="transcript")
        self.viewport = Viewport(look, self)
        self.search = Search(self.viewport, self._search_on)
        self.landing = Landing(self.viewport)
        self.target_cursor = TargetCursor(self.viewport)
        self.selection = Selection(self.viewport)
        self.editing: int | None = None  # the edited message: all after it will be dropped
        self.layout_work = BackgroundLayout(self.viewport, self.run_worker, self._warn)
        self.picture_work = BackgroundPictures(self.viewport, self.run_worker)
        self._dirty_rows = DirtyRows()
        self._strips = StripCache()
        self._told = (True, 0)  # `following` and `new_lines` as of the last `Moved`
        self._scrolls = 0  # the viewport's, as of the last `Near`
        self._later: Timer | None = None  # until more lines near the view are laid out
        self._later_width = 0  # the width for which the timer was set
        self._dragging: Timer | None = None  # while a selection is dragged beyond the view
        self._moving = False  # the widget itself scrolls, not the user

    # --- showing --------------------------------------------------------------------------

    def show(self, view: ChatView, name: str, model: str | None) -> None:
        """Show `view`; another `name` is another chat, which is shown from its end.

        `model` is the one that answers, None if unknown.
        """
        viewport = self.viewport
        if name == viewport.name and view is viewport.view:
            return
        if viewport.turn_to(name, view):
            self.target_cursor.point(None)
            self.selection.clear()
            self.landing.leave()
            self.search.restart()
        self._take_room()
        viewport.show(view, model)
        self.search.find()

    def show_edit(self, message_id: int | None) -> None:
        """Mark the edited message and all after it, which will be dropped; None for no edit."""
        if message_id != self.editing:
            self.editing = message_id
            self.refresh()

    @property
    def column_width(self) -> int:
        """The width of the text in cells."""
        room = self.scrollable_content_region.width - MARGIN
        return max(MIN_COLUMN, min(MAX_COLUMN, room))

    def _take_room(self) -> None:
        self.viewport.resize(self.column_width, self.scrollable_content_region.height)

    def settle(self) -> None:
        """Lay out the lines in view in the current size."""
        self._take_room()
        self.viewport.settle()

    def on_resize(self, event: events.Resize) -> None:
        """Lay out for the new width; the first visible line stays the first."""
        self.settle()

    def show_lines(self) -> None:
        """Scroll to the viewport's position, draw changed rows, and start background work."""
        top, size = self.viewport.top, self._size_of_all()
        self._moving = True
        try:
            if size != self.virtual_size:
                self._set_size(size)
            # Even if nothing changed: the scroll bar may have appeared with this layout.
            move_bar(self.vertical_scrollbar, size.height, top)
            if self.scroll_offset.y != top or self.scroll_target_y != top:
                self.set_reactive(Transcript.scroll_target_y, top)
                self.scroll_y = top
        finally:
            self._moving = False
        self.landing.moved()
        self._tell()
        self.layout_work.look()
        self._look_on_later()
        self._repaint()
        self.picture_work.look()

    def _size_of_all(self) -> Size:
        return Size(self.scrollable_content_region.width, self.viewport.column.height)

    def _set_size(self, size: Size) -> None:
        """Set the virtual size; lays out the screen only if its width or the scroll bar change."""
        room, before = self.scrollable_content_region.height, self.virtual_size
        if size.width != before.width or (size.height > room) != (before.height > room):
            self.virtual_size = size
        else:
            self.set_reactive(Transcript.virtual_size, size)

    def _tell(self) -> None:
        viewport = self.viewport
        told, self._told = self._told, (viewport.following, viewport.new_lines)
        if told != self._told:
            self.post_message(self.Moved())
        scrolled, self._scrolls = viewport.scrolls != self._scrolls, viewport.scrolls
        if viewport.wants_older:
            self.post_message(self.NearStart(scrolled))
        if viewport.wants_gap:
            self.post_message(self.NearGap(scrolled))

    def _look_on_later(self) -> None:
        width = self.viewport.column.width
        if self._later is not None and self._later_width != width:
            self._later.stop()
            self._later = None
        if self._later is None and self.viewport.is_guessed:
            self._later_width = width
            self._later = self.set_timer(LAYOUT_REST_AFTER_S, self._lay_out_more)

    def _lay_out_more(self) -> None:
        """Lay out a few lines near the view, and continue after a pause."""
        # The timer is set before the lines are shown, else `show_lines` would set another one.
        self._later = self.set_timer(LAYOUT_PAUSE_S, self._lay_out_more)
        if not self.viewport.lay_out_more():
            self._later.stop()
            self._later = None

    # --- in the background ----------------------------------------------------------------

    def _warn(self, words: str) -> None:
        self.notify(words, severity="warning")

    def _search_on(self) -> None:
        self.run_worker(search_on(self.search, self._tell_marked, self.call_later))

    def _tell_marked(self) -> None:
        self.post_message(self.Marked())

    # --- scrolling ------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scroll the viewport, if the user scrolled and not the widget itself."""
        super().watch_scroll_y(old_value, new_value)
        old, new = round(old_value), round(new_value)
        if not self._moving and old != new:
            self._take_room()
            self.viewport.scroll(old, new)

    # --- drawing --------------------------------------------------------------------------

    def show_marks(self) -> None:
        """Draw all rows in view again."""
        self.refresh()

    def _repaint(self) -> None:
        """Draw the changed rows; all rows if there may be marks."""
        viewport, region = self.viewport, self.scrollable_content_region
        stale = self._dirty_rows.stale(viewport.column, viewport.top, region.height)
        if self.has_marks:
            self.refresh()
        elif stale is not None:
            self.refresh(Region(0, stale[0], region.width, stale[1] - stale[0] + 1))

    def redraw(self) -> None:
        """Clear the strip cache and draw again: the theme changed."""
        self._strips.forget(self.viewport.column)
        self.refresh()

    @guarded_lines
    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows in `crop`."""
        background = self.background_colors[1]
        dress = Dress(
            palette_of(self.app),
            self.scrollable_content_region.width,
            self.rich_style,
            self.size.width,
            Style(background=background).rich_style,
        )
        self._strips.put_on(self.viewport.column, dress)
        strips = [self.render_line(y) for y in crop.line_range]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """Return the strip of row `y` of the view, including the cells of the scroll bar."""
        number = self.scroll_offset.y + y
        strip = self._strips.strip(self.viewport.column, number)
        if not self.has_marks:
            return strip
        return marked(strip, self._marks(number), self._strips.dress.palette)

    @property
    def has_marks(self) -> bool:
        """Whether the text may have marks."""
        return (
            self.search.active
            or self.selection.active
            or self.landing.active
            or self.target_cursor.target is not None
            or self.editing is not None
        )

    def _marks(self, y: int) -> list[Mark]:
        section, number, _line = self.viewport.column.line(y)
        if section is None:
            return []
        return [
            *dropped_marks(self.viewport.column, self.editing, y),
            *self.search.marks(section, number),
            *self.landing.marks(section, number),
            *self.target_cursor.marks(section, number),
            *self.selection.marks(y),
        ]

    # --- the mouse ------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a selection."""
        if is_left(event):
            self.capture_mouse()
            self.selection.press(*self._inside(event))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Extend the selection; scroll while the mouse is beyond the view."""
        self.selection.drag(*self._inside(event))
        if not self.selection.beyond:
            self._stop_dragging()
        elif self._dragging is None:
            self._dragging = self.set_interval(DRAG_SCROLL_S, self._drag_on)

    def _drag_on(self) -> None:
        self.selection.scroll_on()
        if not self.selection.beyond:
            self._stop_dragging()

    def _stop_dragging(self) -> None:
        if self._dragging is not None:
            self._dragging.stop()
            self._dragging = None

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the selection; if no text is selected, use the clicked target."""
        if not is_left(event):
            return
        self.release_mouse()
        self._stop_dragging()
        self.post_message(self.Marked())
        if self.selection.release():
            return
        self.selection.clear()
        place = self.viewport.place_at(*self._inside(event))
        target = self.target_cursor.at(place.y, place.x)
        if target is not None:
            event.stop()
            self.target_cursor.point(target)
            self.post_message(self.Used(target))

    def _inside(self, event: events.MouseEvent) -> tuple[int, int]:
        return event.x - self.gutter.left, event.y - self.gutter.top


def is_left(event: events.MouseEvent) -> bool:
    """Return whether it is the left button, which selects."""
    return event.button in {0, 1} and not event.ctrl and not event.meta
