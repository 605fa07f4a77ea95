"""Queue panel: the messages that wait for the current turn to end."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from palaver.wire.chats import QUEUE_LIMIT
from palaver.wire.messages import QueuedMessage
from palaver_tui.keymap.actions import BY_ID, LETTERS, key_name, key_of
from palaver_tui.keymap.bindings import bindings
from palaver_tui.state.chat import ChatView
from palaver_tui.text.spans import Face, Line, Paper, Span
from palaver_tui.text.visible import visible_line
from palaver_tui.widgets.strips import palette_of, row, strip_of

MAX_ROWS = 5  # more are scrolled with the selection
FOLD_BELOW = 24  # rows of the window; in a smaller one the panel is one line
# Rows of everything else when the panel has the focus: header and footer, three of the composer,
# two of the conversation, and two of its frame. With less than a row left for messages the panel
# stays one line, which shows the selected message.
OTHERS_ROWS = 9
# What the model gets within the current turn.
STEERS = "steers"
OFFERED = (
    ("queue.send", "send now"),
    ("queue.edit", "edit"),
    ("queue.remove", "remove"),
    ("queue.raise queue.lower", "move"),
)


class QueuePanel(Widget, can_focus=True):
    """The queue; keys act on the selected message.

    If that message leaves the queue by itself, none is selected until an arrow is pressed, as a key
    must not act on a message that the user did not see selected. If the user removed it, the next
    one is selected. If it has the focus before it has a message, the first one is selected when it
    comes.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("queue")

    def __init__(self) -> None:
        super().__init__(id="queue")
        self._queue: tuple[QueuedMessage, ...] = ()
        self._sending: tuple[str, ...] = ()
        self._selected: int | None = None  # the id: the queue may change under the selection
        self.is_early = False  # it has the focus since before its first message
        self._place = 0  # index of the selected message, or its last one
        self.leaving: set[int] = set()  # ids of messages that the user is removing
        self._editing: int | None = None
        self._steering: frozenset[int] = frozenset()
        self._folded = False
        self._most = MAX_ROWS  # messages shown at once
        self._first = 0
        self._shown: tuple[object, ...] = ()

    @property
    def selected(self) -> QueuedMessage | None:
        """The selected message, None if none is."""
        return next((one for one in self._queue if one.id == self._selected), None)

    @property
    def rows(self) -> int:
        """The number of its rows, including the frame."""
        total = len(self._queue) + len(self._sending)
        return 0 if not total else self._height(total)

    def _height(self, total: int) -> int:
        return 1 if self._folded else min(self._most, total) + 2

    def select(self, steps: int) -> None:
        """Select the message `steps` below; if none is selected, next to the one that left."""
        if self._queue:
            if self.selected is None and steps > 0:
                steps -= 1  # the message below has moved up
            self._place = max(0, min(len(self._queue) - 1, self._place + steps))
            self._selected = self._queue[self._place].id
            self.refresh()

    def on_focus(self) -> None:
        """Select the first message, if none is selected."""
        if self.selected is None:
            self._place = 0
            self.select(0)
            self.is_early = not self._queue

    def on_blur(self) -> None:
        """Select no message that comes while another part has the focus."""
        self.is_early = False

    def _take(self, queue: tuple[QueuedMessage, ...]) -> None:
        """Store the queue, and find the selected message in it."""
        before, self._queue = [queued.id for queued in self._queue], queue
        ids = [queued.id for queued in queue]
        gone = self._selected
        if gone in ids:
            self._place = ids.index(gone)
        elif gone in before:
            place = before.index(gone)
            above = [one for one in before[:place] if one in ids]
            below = [one for one in before[place + 1 :] if one in ids]
            self._place = len(above)
            following = [*below[:1], *above[-1:]] if gone in self.leaving else []
            self._selected = following[0] if following else None
            if self._selected is not None:
                self._place = ids.index(self._selected)
        elif self.is_early:
            self.select(0)
        self.is_early = self.is_early and not queue
        self.leaving.intersection_update(ids)

    def show(self, view: ChatView, editing: int | None, rows: int, banner: int = 0) -> None:
        """Show the queue of `view`; `editing` is the id of the message in the composer.

        `rows` are those of the window, `banner` those of the banner.
        """
        self._take(view.queue)
        self._editing = editing
        self._steering = frozenset(one.id for one in view.queue if view.steers(one))
        self._sending = tuple(
            item.content
            for item in view.outgoing
            if item.landing == "queue" and item.state != "refused"
        )
        total = len(self._queue) + len(self._sending)
        if self.has_focus and not total:
            self.screen.query_one("#composer").focus()
        self.display = bool(total)
        if not total:
            return
        most = rows - OTHERS_ROWS - banner
        self._most = max(1, min(MAX_ROWS, most))
        self._folded = rows < FOLD_BELOW and (most < 1 or not self.has_focus)
        held = view.held or view.status == "paused"
        shown = (
            *(self._queue, self._sending, editing, self._steering),
            *(self._folded, self._most, held, self.has_focus),
        )
        if shown == self._shown:
            return  # comparing costs less than drawing
        self._shown = shown
        self._dress(total, held)

    def _dress(self, total: int, is_held: bool) -> None:
        """Set the frame's title, the keys and the height; draw the panel again."""
        held = " · held" if is_held else ""
        full = " · full" if len(self._queue) >= QUEUE_LIMIT else ""
        letters = f": {LETTERS}" if self.has_focus else ""
        self.border_title = Content(f"Queue · {total}{held}{full}{letters}")
        self.set_class(is_held, "-held")
        self.set_class(self._folded, "-folded")
        keys = "  ".join(f"{_letters(names)} {label}" for names, label in OFFERED)
        keys += f"  {key_of('queue.hold')} {'release' if is_held else 'hold'}"
        self.border_subtitle = Content(keys if self.has_focus else key_of("queue.focus"))
        height = self._height(total)
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the strip of line `y` inside the frame."""
        width = self.size.width
        line = self._folded_line(width) if self._folded else self._row(y, width)
        return strip_of(line, width, palette_of(self.app)).crop_extend(0, width, self.rich_style)

    def _folded_line(self, width: int) -> Line:
        waiting = [*(one.content for one in self._queue), *self._sending]
        if not waiting:
            return Line()  # it is hidden, but drawn once more before the next layout
        held = " · held" if self.has_class("-held") else ""
        ink = Face("warning") if held else Face("accent")
        count, shown, face = f"{len(waiting)}{held}", waiting[0], Face("muted")
        first = next(iter(self._queue), None)
        if self.has_focus and self.selected is not None:
            count, shown = f"{self._place + 1}/{count}", self.selected.content
            face = Face("text", paper="selected")
            first = self.selected
        steers = f"{STEERS}  " if first is not None and first.id in self._steering else ""
        left = [Span(f" Queue · {count} ", ink), Span(f" {visible_line(shown)}", face)]
        return row(left, [Span(f"{steers}{key_of('queue.focus')} ", Face("faint"))], width)

    def _row(self, y: int, width: int) -> Line:
        rows = min(self._most, len(self._queue) + len(self._sending))
        self._first = max(min(self._first, self._place), self._place - rows + 1)
        number = self._first + y
        if number >= len(self._queue):
            extra = number - len(self._queue)
            if extra >= len(self._sending):
                return Line()
            text = visible_line(self._sending[extra])
            return row([Span("   … ", Face("faint")), Span(text, Face("muted"))], [], width)
        queued = self._queue[number]
        current = self.has_focus and queued.id == self._selected
        paper: Paper = "selected" if current else ""
        remark = "in the composer" if queued.id == self._editing else ""
        if not remark and queued.id in self._steering:
            remark = STEERS
        elif not remark and queued.model:
            remark = visible_line(queued.model)
        left = [
            Span("▌" if current else " ", Face("accent", paper=paper)),
            Span(f"{number + 1:>2}  ", Face("muted", paper=paper)),
            Span(visible_line(queued.content), Face("text", paper=paper)),
        ]
        right = [Span(f" {remark} ", Face("faint", paper=paper))] if remark else []
        return row(left, right, width)._replace(fill=paper)


def _letters(actions: str) -> str:
    """Return the shortest key of each of some actions, to leave room for others."""
    keys = (map(key_name, BY_ID[name].keys) for name in actions.split())
    return " ".join(min(names, key=len) for names in keys)
