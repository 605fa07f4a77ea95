"""Viewport: which lines of a chat are in view, and the scroll position. Nothing is drawn here.

A viewport follows the end of its chat until the user scrolls. Then the first line in view stays in
place, whatever grows, folds, is paged in or dropped around it, also in another width.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol

from palaver_tui.state.chat import ChatView
from palaver_tui.text.document import Job
from palaver_tui.text.spans import Line
from palaver_tui.text.wrap import clusters
from palaver_tui.timing import FOLLOW_TOLERANCE, LAYOUT_AT_ONCE, LAYOUT_NEAR, OLDER_WITHIN_LINES
from palaver_tui.transcript.anchors import Anchors
from palaver_tui.transcript.assembly import GAP
from palaver_tui.transcript.column import Anchor, Column
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.look import Look
from palaver_tui.transcript.positions import Place, Point, place_of
from palaver_tui.transcript.section import Section


class Display(Protocol):
    """What draws a viewport: the widget."""

    def show_lines(self) -> None:
        """Draw the lines in view: the scroll position or the lines may have changed."""

    def show_marks(self) -> None:
        """Draw the lines in view again: their marks have changed."""


class Viewport:
    """A window on a `Column`: `height` lines of it from line `top` on, in `width` cells."""

    def __init__(self, look: Look, display: Display) -> None:
        self.column = Column(look)
        self.width = self.height = 0  # nothing is laid out before there is room
        self.top = 0
        self.following = True
        self.new_lines = 0  # lines below the one that was the last when the end was left
        self.epoch = 0  # counts the changes of positions
        self.scrolls = 0  # counts how often the user scrolled
        self.name: str | None = None  # of the chat
        self.view: ChatView | None = None
        self.pinned: tuple[Point, ...] = ()  # laid out in a new width, even if out of view
        self.display = display
        self._anchors = Anchors(self.column)
        self._folds: dict[str | None, Folds] = {}  # of the chats that were shown before
        self._job_version = -1  # of the column when it was last asked for jobs

    # --- what is shown --------------------------------------------------------------------

    def set_look(self, look: Look) -> None:
        """Set how messages are shown, and begin without any."""
        self.column = Column(look)
        self._anchors = Anchors(self.column)

    def turn_to(self, name: str, view: ChatView) -> bool:
        """Switch to the chat `name`, to its end; return whether it is another one.

        A draft that became a chat has another name but the same messages: it is not another one.
        """
        if name == self.name:
            return False
        before, self.name = self.name, name
        if view.messages and self.view is not None and self.view.messages == view.messages:
            return False
        self._folds[before] = self.folds
        self.set_look(self.column.assembly.look)
        self.column.set_folds(self._folds.pop(name, Folds()))
        self.following, self.new_lines = True, 0
        return True

    def show(self, view: ChatView, model: str | None) -> None:
        """Show `view`, the chat's state; `model` is the one that answers, None if unknown."""
        self.view = view
        self.column.assembly.model = model
        with self._anchors.holding(None if self.following else self.top):
            self.column.show(view, reading=not self.following)
        self.settle()

    def unfold(self, keys: Iterable[FoldKey]) -> None:
        """Open the folds with these keys."""
        folds = self.folds
        for key in keys:
            if not folds.is_open(key):
                folds = folds.turn(key)
        if folds != self.folds:
            self.set_folds(folds)

    def draw_pictures(self, draws: bool) -> None:
        """Show pictures, or only their captions."""
        if draws != self.column.assembly.look.pictures:
            self.column.assembly.draw_pictures(draws)
            self.settle()

    @property
    def folds(self) -> Folds:
        """The folds of the chat that is shown."""
        return self.column.assembly.folds

    def set_folds(self, folds: Folds, row: int | None = None) -> None:
        """Apply `folds`; row `row` of the view stays in place, without one the first row."""
        held = self.column.anchor(self.top + (row or 0))
        self.column.set_folds(folds)
        if self.view is None:
            return
        self.column.show(self.view, reading=not self.following)
        if row is None or held is None:
            self.settle()
            return
        found = self.column.find(held)
        if found is not None:
            self._put(max(0, found - row), held, -row)

    # --- laying out -----------------------------------------------------------------------

    def resize(self, width: int, height: int) -> None:
        """Set the size in cells and lines; to be followed by `settle`."""
        self.width, self.height = width, height

    def settle(self, *, stays: bool = False) -> None:
        """Lay out the lines in view and restore the scroll position.

        `stays`: keep the position also while the end is followed.
        """
        if not self.height:
            return
        if self.column.width != self.width:
            self._set_width()
        if self.following and not stays:
            self.column.measure_tail(self.height)
            top = max(0, self.column.height - self.height)
        else:
            top = self._lay_out(self.top, self._anchors.top)
        self._apply(top)

    def _set_width(self) -> None:
        """Lay out in the current width; the first word in view stays in the first line."""
        word = None if self.following else self._anchors.word_at_top()
        self.column.set_width(self.width)
        for point in self.pinned:
            place_of(self.column, point)
        self._anchors.find_in_new_width(word)

    def _lay_out(
        self, top: int, held: Anchor | None = None, offset: int = 0, below: int = 0
    ) -> int:
        """Lay out the view from line `top` on, and `below` lines more; return its first line.

        Laying out corrects heights: with `held`, the view begins `offset` lines from that anchor.
        """
        while True:
            if held is not None and (found := self.column.position(held)) is not None:
                top = found + offset
            shown = max(0, min(top, self.column.height - self.height))
            # A little more than the view, to know whether this is the end.
            if not self.column.measure(shown, self.height + max(below, FOLLOW_TOLERANCE + 1)):
                return shown

    def _apply(self, top: int) -> None:
        self.top = top
        self.epoch += 1
        self._anchors.top = self.column.anchor(top)
        if self.following:
            self._anchors.at_end()
        self.new_lines = self._anchors.new_lines
        self.display.show_lines()

    def lay_out_in_view(self) -> None:
        """Lay out all of every section in view."""
        if self.column.sections:
            last = self.column.at(self.top + self.height - 1)
            for index in range(self.column.at(self.top), last + 1):
                self.column.measure_one(index)
        self.settle()

    def laid_out(self, y: int, near: Point | None) -> int:
        """Lay out line `y`; return its new number, at the same distance from the point `near`."""
        before = place_of(self.column, near) if near is not None else None
        while self.column.measure(y, 1):
            now = place_of(self.column, near) if near is not None else None
            if before is not None and now is not None:
                y += now.y - before.y
                before = now
        return max(0, min(y, self.column.height - 1))

    def near(self) -> tuple[int, int]:
        """Return the first and the last line near the view, which are laid out in advance."""
        return max(0, self.top - LAYOUT_NEAR), self.top + LAYOUT_NEAR

    @property
    def is_guessed(self) -> bool:
        """Whether any height near the view may be an estimate."""
        return self.column.is_guessed(*self.near())

    def lay_out_more(self) -> bool:
        """Lay out a few lines near the view, which stays in place; return whether any was left."""
        is_at_end = self.top >= self.column.height - self.height
        if not self.column.look_on(LAYOUT_AT_ONCE, *self.near()):
            return False
        # No new text: a user who scrolled up by a line or two is not moved back to the end.
        self.settle(stays=not is_at_end)
        return True

    def next_job(self) -> Job | None:
        """Return the job of a long block that has just been finished; None if there is none."""
        if self._job_version == self.column.version:
            return None
        self._job_version = self.column.version
        return self.column.job()

    def finish_job(self, job: Job, lines: list[Line] | None) -> None:
        """Put the lines of a job; None if it failed: then its block keeps its lines."""
        self._job_version = -1
        with self._anchors.holding(None if self.following else self.top):
            if lines is None:
                self.column.give_up(job)
            else:
                self.column.put(job, lines)
        self.settle()

    # --- scrolling ------------------------------------------------------------------------

    def scroll(self, old: int, new: int) -> None:
        """Scroll from line `old` to line `new` as the first one in view."""
        # Lines above may have been estimates: the scroll distance is from the old first line.
        held = self.column.anchor(old) if abs(new - old) <= 2 * self.height else None
        self._put(new, held, new - old, max(0, old - new))

    def _put(self, top: int, held: Anchor | None = None, offset: int = 0, below: int = 0) -> None:
        """Scroll so that `top` is the first line in view, if there are enough lines below it.

        `held`, `offset` and `below` as for `_lay_out`.
        """
        self._anchors.scrolled()
        self.scrolls += 1
        if self.following:
            self._anchors.leave_end()
        top = self._lay_out(top, held, offset, below)
        self.following = top >= self.column.height - self.height - FOLLOW_TOLERANCE
        self._apply(top)

    def move(self, lines: int) -> None:
        """Scroll by `lines`."""
        end = max(0, self.column.height - self.height)
        self.scroll(self.top, max(0, min(self.top + lines, end)))

    def follow(self) -> None:
        """Scroll to the end and follow it; steps that stayed unfolded for reading fold."""
        self.following = True
        self.scrolls += 1
        if self.view is not None:
            self.column.show(self.view)
        self.settle()

    def stay(self) -> None:
        """Stop following the end."""
        if self.following:
            self.following = False
            self._anchors.leave_end()

    def to_start(self) -> None:
        """Scroll to the first line; older messages will be paged in above it."""
        self._put(0)

    def to_line(self, y: int) -> None:
        """Scroll so that line `y` is the first one in view, if there are enough below it."""
        self._put(y, self.column.anchor(y))

    def bring_into_view(self, y: int, *, edge: bool = False) -> None:
        """Scroll line `y` into the middle if it is not in view; `edge`: only as far as needed."""
        if self.shows(y):
            return
        rows = (0 if y < self.top else self.height - 1) if edge else self.height // 2  # above it
        self._put(y - rows, self.column.anchor(y), -rows)

    def to_middle(self, y: int) -> None:
        """Scroll line `y` into the middle, as far as there are lines around it."""
        rows = self.height // 2
        self._put(y - rows, self.column.anchor(y), -rows)

    # --- what is in view ------------------------------------------------------------------

    def shows(self, y: int) -> bool:
        """Return whether line `y` is in view."""
        return self.top <= y < self.top + self.height

    def place_at(self, x: int, row: int) -> Place:
        """Return the place at cell `x` of a row of the view."""
        y = self.top + row
        text = self.column.line(y)[2].text
        at = used = 0
        for cluster, cells in clusters(text):
            if used + cells > x:
                break
            used += cells
            at += len(cluster)
        return Place(y, at)

    def sections(self) -> list[Section]:
        """Return the sections in view, top to bottom."""
        column = self.column
        if not column.sections or not self.height:
            return []
        return column.sections[column.at(self.top) : column.at(self.top + self.height - 1) + 1]

    def ids(self) -> tuple[int, int] | None:
        """Return the ids of the first and last message in view; None if there is none."""
        keys = [section.key for section in self.sections()]
        ids = [int(key.owner) if isinstance(key, FoldKey) else key for key in keys]
        found = [key for key in ids if isinstance(key, int)]
        return (found[0], found[-1]) if found else None

    def begins(self, key: Hashable) -> bool:
        """Return whether the first line of a section is in or below the view."""
        index = self.column.index(key)
        return index is not None and self.column.start(index) >= self.top

    def folded_away(self, message_id: int) -> bool:
        """Return whether a message is in a folded run of steps."""
        return isinstance(self.column.assembly.moved.get(message_id), FoldKey)

    @property
    def wants_older(self) -> bool:
        """Whether the first line is near the view, and older messages can be fetched."""
        return self.top <= OLDER_WITHIN_LINES and self.view is not None and self.view.older

    @property
    def wants_gap(self) -> bool:
        """Whether a gap of missing messages is near the view."""
        gap = self.column.index(GAP)
        if gap is None:
            return False
        first, last = self.top - OLDER_WITHIN_LINES, self.top + self.height + OLDER_WITHIN_LINES
        return first <= self.column.start(gap) <= last
