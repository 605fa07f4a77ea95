"""Chat list, drawn line by line, so that ten thousand chats cost the same as a screenful."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import ClassVar

import msgspec
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from palaver.wire.chats import BUSY
from palaver_tui.keymap.actions import BY_ID
from palaver_tui.keymap.bindings import bindings
from palaver_tui.state.activity import age, signs
from palaver_tui.state.chat_list import Row
from palaver_tui.state.found_messages import FoundMessages
from palaver_tui.text.spans import Face, Ink, Line, Paper, Span
from palaver_tui.text.visible import visible_line
from palaver_tui.text.wrap import width_of
from palaver_tui.timing import OLDER_WITHIN_ROWS
from palaver_tui.widgets.found_lines import FoundLine, found_lines, snippet_line
from palaver_tui.widgets.strips import palette_of, row, strip_of

BEGINS_FILTER = BY_ID["chats.filter"].keys


class ListContent(msgspec.Struct, frozen=True):
    """What the list shows: `rows`, and below them `hits`, the chats whose messages fit the filter.

    `found` is the answer that has these. `loaded`: the daemon has sent its chats. `next_page` is
    the cursor of older ones. With a `filter_text`, even an empty one, typed letters extend it.
    `archived`: these are the archived chats. `drafts` are the chats with a draft. `roomy`: the
    time is shown even if the title has to be clipped for it, unless there are signs. `looked_at` is
    the chat that the user sees, in which nothing counts as new.
    """

    rows: list[Row] = msgspec.field(default_factory=list)
    hits: Sequence[Row] = ()
    found: FoundMessages | None = None
    current: str | None = None
    loaded: bool = False
    next_page: str | None = None
    filter_text: str | None = None
    archived: bool = False
    drafts: frozenset[str] = frozenset()
    now: datetime | None = None
    zone: tzinfo | None = None
    roomy: bool = True
    looked_at: str | None = None

    def behind(self, item: Row, frame: str) -> tuple[tuple[tuple[str, Ink], ...], str]:
        """Return the signs after a row's title, and the time since the chat's last change."""
        chat = item.chat
        at_rest = self.now is not None and chat.status not in BUSY
        time = age(chat.updated_at, self.now, self.zone) if at_rest and self.now else ""
        seen = chat.id == self.looked_at
        return signs(chat, frame, draft=chat.id in self.drafts, seen=seen), time


class ChatListPane(ScrollView, can_focus=True):
    """The chats as rows; that of the open chat is marked."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("chats")

    class Chosen(Message):
        """Posted when a chat was clicked, or what was found in one."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class NearEnd(Message):
        """Posted when the last loaded chats are near the view, and there are older ones.

        `scrolled`: the user scrolled there; else the rows that are shown changed.
        """

        def __init__(self, scrolled: bool) -> None:
            super().__init__()
            self.scrolled = scrolled

    class Filtered(Message):
        """Posted when the filter text changed."""

    def __init__(self) -> None:
        super().__init__(id="chats")
        self.rows: list[Row] = []  # that can be opened, by titles and by messages
        self._below: list[FoundLine] = []  # the lines below those of titles
        self._listed = ListContent()
        self._frame = ""
        self.filter_text: str | None = None  # as typed; None if there is no filter
        self._shown: tuple[object, ...] = ()

    def show(self, listed: ListContent, frame: str) -> None:
        """Show the chats of `listed`; `frame` is the spinner's current character."""
        self._show(listed, frame)
        self._look_on(scrolled=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Post `NearEnd` before the last loaded chat is reached."""
        super().watch_scroll_y(old_value, new_value)
        self._look_on(scrolled=True)

    @property
    def wanted(self) -> str | None:
        """The cursor of the older chats, if the end is near the view; else None."""
        bottom = self.scroll_offset.y + self.scrollable_content_region.height
        near_end = bottom >= len(self._listed.rows) - OLDER_WITHIN_ROWS
        return self._listed.next_page if near_end else None

    def _look_on(self, *, scrolled: bool) -> None:
        if self.wanted is not None:
            self.post_message(self.NearEnd(scrolled))

    def _show(self, listed: ListContent, frame: str) -> None:
        before, same_frame, rows = self._listed, self._frame, self.rows
        self._listed, self._frame = listed, frame
        same_hits = listed.found is before.found and listed.hits is before.hits
        self.rows = [*listed.rows, *listed.hits] if listed.hits else listed.rows
        width = self.scrollable_content_region.width
        self._below = found_lines(listed.found, listed.hits, width, titles=bool(listed.rows))
        size = Size(width, len(listed.rows) + len(self._below))
        shown = (size, listed.current, listed.loaded, listed.filter_text, listed.archived)
        if shown == self._shown and same_hits:
            stale = self._stale(before, rows, same_frame)
            if stale:
                self.refresh(*stale)
            return  # comparing costs less than drawing
        self._shown = shown
        if size != self.virtual_size:
            self.virtual_size = size
        chosen = (listed.current, listed.filter_text, listed.archived)
        if chosen != (before.current, before.filter_text, before.archived):
            self._reveal()
        self.refresh()

    def _stale(self, before: ListContent, rows: Sequence[Row], frame: str) -> list[Region]:
        """Return the lines in view that changed since `before`, `rows` and the spinner `frame`."""
        top, (width, height) = self.scroll_offset.y, self.scrollable_content_region.size
        stale = []
        for y in range(top, min(top + height, self.virtual_size.height)):
            number = self._row_at(y)
            if number is not None and (
                self.rows[number] != rows[number]
                or self._listed.behind(self.rows[number], self._frame)
                != before.behind(rows[number], frame)
            ):
                stale.append(Region(0, y - top, width, 1))
        return stale

    def _row_at(self, y: int) -> int | None:
        """Return the index of the row on a line, None if that has words of its own."""
        titles = len(self._listed.rows)
        if y < titles:
            return y
        if y - titles >= len(self._below):
            return None
        line = self._below[y - titles]
        return None if line.words is not None else titles + line.hit

    def _line_of(self, index: int) -> int:
        """Return the first line of a row."""
        titles = len(self._listed.rows)
        if index < titles:
            return index
        return titles + next(
            number
            for number, line in enumerate(self._below)
            if line.words is None and line.hit == index - titles
        )

    def _reveal(self) -> None:
        index = self.index
        if index is None:
            return
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        first = self._line_of(index)
        last = first + 1 if self._row_at(first + 1) == index else first  # its snippet
        if not top <= first <= last < top + height:
            self.scroll_to(y=max(0, first - height // 2), animate=False)

    @property
    def index(self) -> int | None:
        """The index of the open chat; None if it is not listed."""
        return self._place(self._listed.current)

    def _place(self, chat_id: str | None) -> int | None:
        places = (number for number, item in enumerate(self.rows) if item.chat.id == chat_id)
        return next(places, None)

    def neighbour(self, chat_id: str | None, steps: int) -> str | None:
        """Return the id of the chat `steps` below a chat; one not listed is above all others."""
        row = self.row_beside(chat_id, steps)
        return None if row is None else row.chat.id

    def row_beside(self, chat_id: str | None, steps: int) -> Row | None:
        """Return the row `steps` below that of a chat; one not listed is above all others."""
        if not self.rows:
            return None
        place = self._place(chat_id)
        target = steps + (-1 if place is None else place)
        return self.rows[max(0, min(len(self.rows) - 1, target))]

    def beside(self, chat_id: str) -> str | None:
        """Return the id of the chat below one, else of that above it; None if there is none."""
        others = (self.neighbour(chat_id, steps) for steps in (1, -1))
        return next((other for other in others if other not in {None, chat_id}), None)

    def on_key(self, event: events.Key) -> None:
        """Begin a filter, or add typed letters to it."""
        if self.filter_text is None:
            if event.key not in BEGINS_FILTER:
                return
            # Not a binding, which would run after the next letters have been handled as keys.
            text = ""
        elif event.key == "backspace":
            text = self.filter_text[:-1]
        elif event.is_printable and event.character:
            text = self.filter_text + event.character
        else:
            return
        event.stop()
        event.prevent_default()
        # At once, not with the next paint: the next letter may come before that.
        self.filter_text = text
        self.post_message(self.Filtered())

    def on_click(self, event: events.Click) -> None:
        """Open the chat that was clicked."""
        y = self.scroll_offset.y + event.y - self.gutter.top
        number = self._row_at(y) if y >= 0 else None
        if number is not None and number < len(self.rows):
            self.post_message(self.Chosen(self.rows[number]))

    def render_line(self, y: int) -> Strip:
        """Return the strip of line `y` of the view."""
        width = self.scrollable_content_region.width
        strip = strip_of(self._line(self.scroll_offset.y + y, width), width, palette_of(self.app))
        return strip.crop_extend(0, width, self.rich_style)

    def _line(self, y: int, width: int) -> Line:
        """Return line `y` of all."""
        titles = len(self._listed.rows)
        if y < titles:
            return self._row(y, width)
        if y - titles < len(self._below):
            below = self._below[y - titles]
            if below.words is not None:
                return below.words
            return self._row(titles + below.hit, width, is_snippet=below.is_snippet)
        if y:
            return Line()
        words = " nothing is archived" if self._listed.archived else " no chats yet"
        if not self._listed.loaded:
            words = " …"
        if self._listed.filter_text:
            words = " none fits"
        return Line((Span(words, Face("faint")),))

    def _row(self, number: int, width: int, *, is_snippet: bool = False) -> Line:
        item = self.rows[number]
        chat = item.chat
        current = chat.id == self._listed.current
        paper: Paper = "selected" if current and self.has_focus else "user" if current else ""
        if is_snippet and item.hit is not None:
            return snippet_line(item.hit, width, paper)
        mark = Span("▌" if current else " ", Face("accent", paper=paper))
        branch = Span(" └ " if item.depth else "", Face("faint", paper=paper))
        pin = Span("⌃" if chat.pin_order is not None else "", Face("faint", paper=paper))
        bold = current or chat.unread
        title = visible_line(chat.title) or "Untitled"
        name = Span(title, Face("text" if bold else "muted", bold=bold, paper=paper))
        left = [mark, branch, pin, name]
        behind, time = self._listed.behind(item, self._frame)
        right = [Span(f" {text}", Face(ink, paper=paper)) for text, ink in behind]
        when = [Span(f" {time}", Face("faint", paper=paper))] if time else []
        end = Span(" ", Face(paper=paper))
        needed = sum(width_of(span.text) for span in [*left, *right, *when, end]) + 1
        if needed > width and (behind or not self._listed.roomy):
            when = []  # the title needs the room
        return row(left, [*right, *when, end], width)._replace(fill=paper)
