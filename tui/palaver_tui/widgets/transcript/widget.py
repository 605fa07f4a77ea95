"""The conversation: one widget that draws lines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from palaver_tui.keymap.bindings import bindings
from palaver_tui.state.chat import ChatView
from palaver_tui.text.document import Job
from palaver_tui.text.finished_blocks import FOREVER
from palaver_tui.text.wrap import clusters
from palaver_tui.textual_patches.error_containment import guarded_lines
from palaver_tui.textual_patches.scroll_bar import move_bar
from palaver_tui.timing import (
    FOLLOW_TOLERANCE,
    LAYOUT_AT_ONCE,
    LAYOUT_NEAR,
    LAYOUT_PAUSE_S,
    LAYOUT_REST_AFTER_S,
    OLDER_WITHIN_LINES,
)
from palaver_tui.transcript.anchors import Hold, hold
from palaver_tui.transcript.assembly import GAP
from palaver_tui.transcript.column import Anchor, Column
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.positions import Place, Point, place_of, point_on
from palaver_tui.transcript.section import Section
from palaver_tui.transcript.sections import Look
from palaver_tui.transcript.targets import Thing
from palaver_tui.widgets.transcript.dirty_rows import Rows
from palaver_tui.widgets.transcript.marks import Mark
from palaver_tui.widgets.transcript.pictures import Picturing
from palaver_tui.widgets.transcript.rows import Strips
from palaver_tui.widgets.transcript.search import Searching
from palaver_tui.widgets.transcript.selection import Selecting, is_left
from palaver_tui.widgets.transcript.target_cursor import Pointing

MAX_COLUMN = 104  # cells; longer lines are hard to read, however wide the window is
MARGIN = 2


class Transcript(ScrollView, can_focus=True):
    """Shows a `ChatView`. Follows its end until the person scrolls; then the view stands still."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("transcript")
    ALLOW_SELECT = False  # we select ourselves: text, not cells

    class NearStart(Message):
        """The first line there is comes into view: there may be older ones."""

    class NearGap(Message):
        """A place where messages are missing comes into view."""

    class Marked(Message):
        """Something is selected with the mouse, or nothing is any more."""

    class Used(Message):
        """Something was clicked."""

        def __init__(self, thing: Thing) -> None:
            super().__init__()
            self.thing = thing

    class Moved(Message):
        """The view follows or does not, or what is new below it changed."""

    def __init__(self, look: Look) -> None:
        super().__init__(id="transcript")
        self.column = Column(look)
        self.following = True
        self.new_lines = 0
        self.epoch = 0  # counts the changes of what is where
        self.searching = Searching(self)
        self.pointing = Pointing(self)
        self.selecting = Selecting(self)
        self.picturing = Picturing(self)
        self.editing: int | None = None  # the message that is said anew: from it on all is dropped
        self._rows = Rows()
        self._strips = Strips(self)
        self._view: ChatView | None = None
        self._chat: str | None = None
        self._seen_end: Anchor | None = None
        self._seen: Hold | None = None  # the words at it
        self._top: Anchor | None = None
        self._held: Hold | None = None  # the words at it, since somebody scrolled
        self._resized: tuple[Anchor, Point] | None = None  # what a new width has put at the top
        self._folds: dict[object, Folds] = {}  # of the chats that were shown before
        self._job: Job | None = None  # what is laid out now, off the event loop
        self._job_version = -1  # of the column when it was last asked for jobs
        self._later: Timer | None = None  # until more is laid out of what is not in view
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
                self.following, self._top, self._held, self.new_lines = True, None, None, 0
                self.pointing.thing = None
                self.selecting.clear()
                self.searching.restart()
        elif view is self._view:
            return
        self._view = view
        self.column.assembly.model = model
        with self._holding():
            self.column.show(view, reading=not self.following)
        self.settle()
        self.searching.find()

    def show_edit(self, message_id: int | None) -> None:
        """Mark what is dropped when a message is said anew; None: none is."""
        if message_id != self.editing:
            self.editing = message_id
            self.refresh()

    def dropped_marks(self, y: int) -> Iterator[Mark]:
        """Yield the mark of line `y` if it is of the message that is said anew, or dropped."""
        if self.editing is None or not self.column.sections:
            return
        first, here = self.column.index(self.editing), self.column.at(y)
        # A message that was let go is far above what is here.
        if first is None or here > first:
            yield Mark(0, FOREVER, "dropped")
        elif here == first:
            yield Mark(0, FOREVER, "thing")

    @property
    def chat(self) -> str | None:
        """The name of the chat that is shown."""
        return self._chat

    def set_look(self, look: Look) -> None:
        """Show messages in another way; to be called before there are any."""
        self.column = Column(look)

    def draw_pictures(self, draws: bool) -> None:
        """Show pictures, or only what they are called."""
        if draws != self.column.assembly.look.pictures:
            self.column.assembly.draw_pictures(draws)
            self.settle()

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
            self.settle()
            return
        found = self.column.find(held)
        if found is not None:
            self._put(max(0, found - row), held, -row)

    @property
    def column_width(self) -> int:
        """The cells that text may take."""
        return max(20, min(MAX_COLUMN, self.scrollable_content_region.width - MARGIN))

    def settle(self, *, stays: bool = False) -> None:
        """Measure what is in view, and put it where it was; `stays` says: also near the end."""
        height = self.scrollable_content_region.height
        if not height:
            return
        if self.column.width != self.column_width:
            self._set_width()
        if self.following and not stays:
            self.column.measure_tail(height)
            top = max(0, self.column.height - height)
        else:
            top = self._lay_out(self.scroll_offset.y, self._top)
        self._apply(top)

    def _set_width(self) -> None:
        """Lay out for the width there is; the first word in view stays in the first line."""
        held = None
        if not self.following and self._top is not None:
            top, known = self.column.position(self._top), self._resized
            if known is not None and known[0] == self._top:
                held = known[1]  # nobody scrolled since: several widths in a row do not drift
            elif top is not None:
                held = point_on(self.column, top)
        self.column.set_width(self.column_width)
        if self._later is not None:
            self._later.stop()
            self._later = None
        self.selecting.lay_out()
        self._find_held()
        if self._seen_end is not None and (seen := self.column.find(self._seen_end)) is not None:
            self.column.measure(seen, FOREVER)  # what is new is counted
        place = place_of(self.column, held) if held is not None else None
        if place is not None and held is not None:
            self._top = self.column.anchor(place.y)
            self._resized = (self._top, held) if self._top is not None else None

    def _lay_out(
        self, top: int, held: Anchor | None = None, offset: int = 0, below: int = 0
    ) -> int:
        """Lay out what is in view from line `top` on, and `below` that; return the first line.

        As heights are corrected on the way, the view begins `offset` lines from where `held` is.
        """
        height = self.scrollable_content_region.height
        while True:
            if held is not None and (found := self.column.position(held)) is not None:
                top = found + offset
            shown = max(0, min(top, self.column.height - height))
            # A little more, to know whether this is the end.
            if not self.column.measure(shown, height + max(below, FOLLOW_TOLERANCE + 1)):
                return shown

    def lay_out_in_view(self) -> None:
        """Lay out, whole, every section that is in view."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if self.column.sections:
            for index in range(self.column.at(top), self.column.at(top + height - 1) + 1):
                self.column.measure_one(index)
        self.settle()

    def laid_out(self, y: int, near: Point | None) -> int:
        """Lay out line `y`; return its number, as many lines from the point `near` it as before."""
        before = place_of(self.column, near) if near is not None else None
        while self.column.measure(y, 1):
            now = place_of(self.column, near) if near is not None else None
            if before is not None and now is not None:
                y += now.y - before.y
                before = now
        return max(0, min(y, self.column.height - 1))

    def _apply(self, top: int) -> None:
        size = Size(self.scrollable_content_region.width, self.column.height)
        self._moving = True
        try:
            if size != self.virtual_size:
                self._set_size(size)
            # Also if nothing changed: the bar may have come into being with this very layout.
            move_bar(self.vertical_scrollbar, size.height, top)
            if self.scroll_offset.y != top or self.scroll_target_y != top:
                self.set_reactive(Transcript.scroll_target_y, top)
                self.scroll_y = top
        finally:
            self._moving = False
        self.epoch += 1
        self._remember(top)
        self._begin_job()
        if self._later is None and self.column.is_guessed(*self.near()):
            self._later = self.set_timer(LAYOUT_REST_AFTER_S, self._lay_out_more)
        self._repaint(top)
        self.picturing.look()

    def _lay_out_more(self) -> None:
        """Lay out a little of what is near the view, which stays where it is."""
        height = self.scrollable_content_region.height
        is_at_end = self.scroll_offset.y >= self.column.height - height
        if self.column.look_on(LAYOUT_AT_ONCE, *self.near()):
            self._later = self.set_timer(LAYOUT_PAUSE_S, self._lay_out_more)
            # Nothing new came: who scrolled up by a line or two is not taken back to the end.
            self.settle(stays=not is_at_end)
        else:
            self._later = None

    def near(self) -> tuple[int, int]:
        """Return the first and the last line that are laid out without being looked at."""
        top = self.scroll_offset.y
        return max(0, top - LAYOUT_NEAR), top + LAYOUT_NEAR

    def _begin_job(self) -> None:
        """Lay out off the event loop what has just been finished and takes long."""
        if self._job is None and self._job_version != self.column.version:
            self._job_version = self.column.version
            self._job = self.column.job()
            if self._job is not None:
                self.run_worker(self._do(self._job))

    async def _do(self, job: Job) -> None:
        try:
            lines = await asyncio.to_thread(job.lines)
        except Exception as error:  # noqa: BLE001  an odd text must not end the client
            lines = None
            self.notify(f"Part of an answer stays as it is: {error!r}", severity="warning")
        self._job, self._job_version = None, -1
        with self._holding():
            if lines is None:
                self.column.give_up(job)
            else:
                self.column.put(job, lines)
        self.settle()

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """Keep what is at the top of the view there, and what was the end when it was left.

        Neither needs care while the end is followed.
        """
        if self.following:
            self._held = None
        elif self._held is None:
            self._held = hold(self.column, self.scroll_offset.y)
        yield
        self._find_held()

    def _find_held(self) -> None:
        """Find what is held, where it was moved."""
        if self._seen is not None and self._seen.moved(self.column):
            self._seen_end = self._seen.name
        if self._held is not None and self._held.moved(self.column):
            self._top = self._held.top(self.column) or self._top

    def _leave(self) -> None:
        """The end is not followed any more: note what it is, so that what is new is counted."""
        y = self.column.height - 1
        self._seen = hold(self.column, y, "last")
        self._seen_end = self._seen.name if self._seen is not None else self.column.anchor(y)

    def _set_size(self, size: Size) -> None:
        """Set the size of all there is, without laying out the screen if the bars stay."""
        room, before = self.scrollable_content_region.height, self.virtual_size
        if size.width != before.width or (size.height > room) != (before.height > room):
            self.virtual_size = size
        else:
            self.set_reactive(Transcript.virtual_size, size)

    def _repaint(self, top: int) -> None:
        """Draw the rows that changed; all of them if something is marked in them."""
        region = self.scrollable_content_region
        stale = self._rows.stale(self.column, top, region.height)
        if self._strips.are_marked:
            self.refresh()
        elif stale is not None:
            self.refresh(Region(0, stale[0], region.width, stale[1] - stale[0] + 1))

    def _remember(self, top: int) -> None:
        self._top = self.column.anchor(top)
        before = self.new_lines
        if self.following:
            self._seen_end, self._seen, self.new_lines = None, None, 0
        elif self._seen_end is not None:
            seen = self.column.position(self._seen_end)
            self.new_lines = 0 if seen is None else max(0, self.column.height - 1 - seen)
        if before != self.new_lines:
            self.post_message(self.Moved())
        if top <= OLDER_WITHIN_LINES and self._view is not None and self._view.older:
            self.post_message(self.NearStart())
        gap = self.column.index(GAP)
        if gap is not None:
            at = self.column.start(gap)
            bottom = top + self.scrollable_content_region.height
            if top - OLDER_WITHIN_LINES <= at <= bottom + OLDER_WITHIN_LINES:
                self.post_message(self.NearGap())

    # --- scrolling ------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Keep what is in view measured, whoever scrolls; note when the person does."""
        super().watch_scroll_y(old_value, new_value)
        if self._moving or round(old_value) == round(new_value):
            return
        self._scrolled(round(old_value), round(new_value))

    def _scrolled(self, old: int, new: int) -> None:
        height = self.scrollable_content_region.height
        # Lines above were an estimate until now: what was in view stays at its distance.
        held = self.column.anchor(old) if abs(new - old) <= 2 * height else None
        self._put(new, held, new - old, max(0, old - new))

    def _put(self, top: int, held: Anchor | None = None, offset: int = 0, below: int = 0) -> None:
        """Make `top` the first line in view, as far as there are lines below it.

        `held`, `offset` and `below` are as for `_lay_out`.
        """
        was_following, self._held = self.following, None
        if was_following:
            self._leave()
        top = self._lay_out(top, held, offset, below)
        height = self.scrollable_content_region.height
        self.following = top >= self.column.height - height - FOLLOW_TOLERANCE
        self._apply(top)
        if was_following != self.following:
            self.post_message(self.Moved())

    def follow(self) -> None:
        """Go to the end, and stay there; what was left open for reading folds."""
        self.following = True
        if self._view is not None:
            self.column.show(self._view)
        self.settle()
        self.post_message(self.Moved())

    def move(self, lines: int) -> None:
        """Scroll by `lines`."""
        old = self.scroll_offset.y
        end = max(0, self.column.height - self.scrollable_content_region.height)
        # Not `scroll_to`: that waits for the next layout, and fast keys would lose lines.
        self._scrolled(old, max(0, min(old + lines, end)))

    def stay(self) -> None:
        """Do not follow the end any more."""
        if self.following:
            self.following = False
            self._leave()

    def to_line(self, y: int) -> None:
        """Make line `y` the first one in view, if there are enough below it."""
        self._put(y, self.column.anchor(y))

    def bring_into_view(self, y: int, *, edge: bool = False) -> None:
        """Scroll if line `y` is not in view: to the middle, or just as far as needed."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if top <= y < top + height:
            return
        rows = (0 if y < top else height - 1) if edge else height // 2  # above it
        self._put(y - rows, self.column.anchor(y), -rows)

    def ids_in_view(self) -> tuple[int, int] | None:
        """Return the ids of the first and last message in view; None if there is none."""
        keys = [section.key for section in self.sections_in_view()]
        ids = [int(key.owner) if isinstance(key, FoldKey) else key for key in keys]
        found = [key for key in ids if isinstance(key, int)]
        return (found[0], found[-1]) if found else None

    def sections_in_view(self) -> list[Section]:
        """Return the sections in view, top to bottom."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if not self.column.sections or not height:
            return []
        return self.column.sections[self.column.at(top) : self.column.at(top + height - 1) + 1]

    def begins(self, message_id: int) -> bool:
        """Say whether the first line of a message is in view."""
        index = self.column.index(message_id)
        return index is not None and self.column.start(index) >= self.scroll_offset.y

    def folded_away(self, message_id: int) -> bool:
        """Say whether a message has gone into a folded run of steps."""
        return isinstance(self.column.assembly.moved.get(message_id), FoldKey)

    def to_start(self) -> None:
        """Go to the first line there is; what is older comes in above it."""
        self._put(0)

    def on_resize(self, event: events.Resize) -> None:
        """Lay out for the new width; the first visible line stays the first."""
        self.settle()

    # --- drawing --------------------------------------------------------------------------

    def redraw(self) -> None:
        """Forget all strips: the theme changed."""
        self._strips.forget()
        self.refresh()

    @guarded_lines
    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows in `crop`."""
        return self._strips.rows(crop)

    def render_line(self, y: int) -> Strip:
        """Return row `y` of the view, the room for the bar included."""
        return self._strips.row(y)

    # --- the mouse ------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to select."""
        if is_left(event):
            self.capture_mouse()
            self.selecting.press(*self._inside(event))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Go on selecting."""
        self.selecting.drag(*self._inside(event))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Select, or else use what was clicked."""
        if not is_left(event):
            return
        self.release_mouse()
        self.post_message(self.Marked())
        if self.selecting.release():
            return
        self.selecting.clear()
        place = self.place_in_view(*self._inside(event))
        thing = self.pointing.at(place.y, place.x)
        if thing is not None:
            event.stop()
            self.pointing.point(thing)
            self.post_message(self.Used(thing))

    def _inside(self, event: events.MouseEvent) -> tuple[int, int]:
        return event.x - self.gutter.left, event.y - self.gutter.top

    def place_in_view(self, x: int, y: int) -> Place:
        """Return the place in cell `x` of row `y` of the view."""
        number = self.scroll_offset.y + y
        text = self.column.line(number)[2].text
        at = used = 0
        for cluster, cells in clusters(text):
            if used + cells > x:
                break
            used += cells
            at += len(cluster)
        return Place(number, at)
