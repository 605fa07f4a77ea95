"""The list of chats, drawn line by line so that ten thousand cost what a screenful costs."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from palaver_tui.actions import BY_ID, bindings
from palaver_tui.layout.faces import Face, Line, Paper, Span
from palaver_tui.layout.visible import visible_line
from palaver_tui.timing import OLDER_WITHIN_ROWS
from palaver_tui.view.chats import Row
from palaver_tui.view.wording import list_status
from palaver_tui.widgets.drawing import palette_of, row, strip_of

BEGINS_FILTER = BY_ID["chats.filter"].keys


class ChatListPane(ScrollView, can_focus=True):
    """Shows rows; the one that is open is marked."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("chats")

    class Chosen(Message):
        """A chat was clicked."""

        def __init__(self, chat_id: str) -> None:
            super().__init__()
            self.chat_id = chat_id

    class NearEnd(Message):
        """The last of the chats that are known are near: there are older ones.

        `scrolled`: somebody went there; else it is so with what is shown.
        """

        def __init__(self, scrolled: bool) -> None:
            super().__init__()
            self.scrolled = scrolled

    class Filtered(Message):
        """What the list is filtered by was changed."""

    def __init__(self) -> None:
        super().__init__(id="chats")
        self.rows: list[Row] = []
        self._current: str | None = None
        self._frame = ""
        self._loaded = False
        self.filter_text: str | None = None  # as typed by now; None: nothing is filtered
        self._filtered: str | None = None  # what the rows were filtered by
        self._more = False
        self._shown: tuple[object, ...] = ()

    def show(
        self,
        rows: list[Row],
        current: str | None,
        frame: str,
        loaded: bool,
        more: bool = False,
        filter_text: str | None = None,
    ) -> None:
        """Show `rows`, with `current` marked; `frame` is the spinner's.

        `loaded`: the daemon has told of its chats. `more`: there are older ones than these.

        With a `filter_text`, even an empty one, what is typed goes on with it.
        """
        self._show(rows, current, frame, loaded, filter_text)
        self._more = more
        self._look_on(scrolled=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for older chats before their place is reached."""
        super().watch_scroll_y(old_value, new_value)
        self._look_on(scrolled=True)

    def _look_on(self, *, scrolled: bool) -> None:
        bottom = self.scroll_offset.y + self.scrollable_content_region.height
        if self._more and bottom >= len(self.rows) - OLDER_WITHIN_ROWS:
            self.post_message(self.NearEnd(scrolled))

    def _show(
        self,
        rows: list[Row],
        current: str | None,
        frame: str,
        loaded: bool,
        filter_text: str | None,
    ) -> None:
        size = Size(self.scrollable_content_region.width, len(rows))
        shown = (size, current, loaded, filter_text)
        if shown == self._shown:
            stale = self._stale(rows, frame)
            self.rows, self._frame = rows, frame
            if stale:
                self.refresh(*stale)
            return  # drawing it anew costs more than to compare
        self._shown = shown
        moved = current != self._current or filter_text != self._filtered
        self._filtered = filter_text
        self._current, self._frame, self._loaded = current, frame, loaded
        self.rows = rows
        if size != self.virtual_size:
            self.virtual_size = size
        if moved:
            self._reveal()
        self.refresh()

    def _stale(self, rows: list[Row], frame: str) -> list[Region]:
        """Return the rows of the view that look otherwise with as many `rows` and this `frame`."""
        top, (width, height) = self.scroll_offset.y, self.scrollable_content_region.size
        return [
            Region(0, number - top, width, 1)
            for number in range(top, min(top + height, len(rows)))
            if rows[number] != self.rows[number]
            or list_status(rows[number].chat, frame)
            != list_status(self.rows[number].chat, self._frame)
        ]

    def _reveal(self) -> None:
        index = self.index
        if index is None:
            return
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if not top <= index < top + height:
            self.scroll_to(y=max(0, index - height // 2), animate=False)

    @property
    def index(self) -> int | None:
        """Where the chat that is open stands."""
        return self._place(self._current)

    def _place(self, chat_id: str | None) -> int | None:
        places = (number for number, item in enumerate(self.rows) if item.chat.id == chat_id)
        return next(places, None)

    def neighbour(self, chat_id: str | None, steps: int) -> str | None:
        """Return the chat `steps` below a chat; one that is not listed is above them all."""
        if not self.rows:
            return None
        place = self._place(chat_id)
        target = steps + (-1 if place is None else place)
        return self.rows[max(0, min(len(self.rows) - 1, target))].chat.id

    def on_key(self, event: events.Key) -> None:
        """While the list is filtered, letters are what it is filtered by."""
        if self.filter_text is None:
            if event.key not in BEGINS_FILTER:
                return
            # Here, and not as a binding, which runs when letters after it have been taken for keys.
            text = ""
        elif event.key == "backspace":
            text = self.filter_text[:-1]
        elif event.is_printable and event.character:
            text = self.filter_text + event.character
        else:
            return
        event.stop()
        event.prevent_default()
        # At once, not when it is painted: the next letter may come before.
        self.filter_text = text
        self.post_message(self.Filtered())

    def on_click(self, event: events.Click) -> None:
        """Open the chat that was clicked."""
        number = self.scroll_offset.y + event.y - self.gutter.top
        if 0 <= number < len(self.rows):
            self.post_message(self.Chosen(self.rows[number].chat.id))

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the view."""
        width = self.scrollable_content_region.width
        number = self.scroll_offset.y + y
        line = Line()
        if number < len(self.rows):
            line = self._row(self.rows[number], width)
        elif number == 0 and not self.rows:
            words = " no chats yet" if self._loaded else " …"
            if self._filtered:
                words = " none fits"
            line = Line((Span(words, Face("faint")),))
        strip = strip_of(line, width, palette_of(self.app))
        return strip.crop_extend(0, width, self.rich_style)

    def _row(self, item: Row, width: int) -> Line:
        chat = item.chat
        current = chat.id == self._current
        paper: Paper = "selected" if current and self.has_focus else "user" if current else ""
        mark = Span("▌" if current else " ", Face("accent", paper=paper))
        branch = Span(" └ " if item.depth else "", Face("faint", paper=paper))
        pin = Span("⌃" if chat.pin_order is not None else "", Face("faint", paper=paper))
        bold = current or chat.unread
        title = visible_line(chat.title) or "Untitled"
        name = Span(title, Face("text" if bold else "muted", bold=bold, paper=paper))
        right: list[Span] = []
        if chat.queue_length:
            right.append(Span(f" +{chat.queue_length}", Face("muted", paper=paper)))
        status = list_status(chat, self._frame)
        if status is not None:
            sign, word, ink = status
            right.append(Span(f" {sign}", Face(ink, paper=paper)))
            if word:
                right.append(Span(f" {word}", Face(ink, paper=paper)))
        right.append(Span(" ", Face(paper=paper)))
        return row([mark, branch, pin, name], right, width)._replace(fill=paper)
