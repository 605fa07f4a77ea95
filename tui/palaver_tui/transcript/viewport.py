"""Which lines of a chat are in view, and what of them holds still. Nothing is drawn here.

A viewport follows the end of its chat until somebody scrolls. Then the first line in view stays
where it is, whatever grows, folds, is paged in or let go around it, in another width too.
"""

from __future__ import annotations

from collections.abc import Hashable
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
from palaver_tui.transcript.message_stacks import Look
from palaver_tui.transcript.positions import Place, Point, place_of
from palaver_tui.transcript.section import Section


class Display(Protocol):
    """Whoever draws a viewport."""

    def show_lines(self) -> None:
        """Show the lines in view: which they are, or what is on them, may have changed."""

    def show_marks(self) -> None:
        """Draw the lines in view once more: what is marked in them has changed."""


class Viewport:
    """A window on a `Column`: `height` lines of it from line `top` on, in `width` cells."""

    def __init__(self, look: Look, display: Display) -> None:
        self.column = Column(look)
        self.width = self.height = 0  # nothing is laid out before there is room
        self.top = 0
        self.following = True
        self.new_lines = 0  # below what was the end when it was left
        self.epoch = 0  # counts the changes of what is where
        self.name: str | None = None  # of the chat
        self.view: ChatView | None = None
        self.pinned: tuple[Point, ...] = ()  # laid out with a new width, wherever they are
        self.display = display
        self._anchors = Anchors(self.column)
        self._folds: dict[str | None, Folds] = {}  # of the chats that were shown before
        self._job_version = -1  # of the column when it was last asked for jobs

    # --- what is shown --------------------------------------------------------------------

    def set_look(self, look: Look) -> None:
        """Show messages in another way; to be called before there are any."""
        self._begin(look)

    def _begin(self, look: Look) -> None:
        self.column = Column(look)
        self._anchors = Anchors(self.column)

    def turn_to(self, name: str, view: ChatView) -> bool:
        """Turn to the chat `name`; return whether it is another one, which begins at its end.

        A draft that has become a chat has another name and the same messages.
        """
        if name == self.name:
            return False
        before, self.name = self.name, name
        if view.messages and self.view is not None and self.view.messages == view.messages:
            return False
        self._folds[before] = self.folds
        self._begin(self.column.assembly.look)
        self.column.set_folds(self._folds.pop(name, Folds()))
        self.following, self.new_lines = True, 0
        return True

    def show(self, view: ChatView, model: str | None) -> None:
        """Show what there is of the chat; `model` is who answers, as far as is known."""
        self.view = view
        self.column.assembly.model = model
        with self._anchors.holding(None if self.following else self.top):
            self.column.show(view, reading=not self.following)
        self.settle()

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
        """Take the room there is, in cells and lines; to be followed by `settle`."""
        self.width, self.height = width, height

    def settle(self, *, stays: bool = False) -> None:
        """Lay out what is in view, and put it where it was; `stays` says: also near the end."""
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
        """Lay out for the width there is; the first word in view stays in the first line."""
        word = None if self.following else self._anchors.word_at_top()
        self.column.set_width(self.width)
        for point in self.pinned:
            place_of(self.column, point)
        self._anchors.find_in_new_width(word)

    def _lay_out(
        self, top: int, held: Anchor | None = None, offset: int = 0, below: int = 0
    ) -> int:
        """Lay out what is in view from line `top` on, and `below` that; return the first line.

        As heights are corrected on the way, the view begins `offset` lines from where `held` is.
        """
        while True:
            if held is not None and (found := self.column.position(held)) is not None:
                top = found + offset
            shown = max(0, min(top, self.column.height - self.height))
            # A little more, to know whether this is the end.
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
        """Lay out, whole, every section that is in view."""
        if self.column.sections:
            last = self.column.at(self.top + self.height - 1)
            for index in range(self.column.at(self.top), last + 1):
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

    def near(self) -> tuple[int, int]:
        """Return the first and the last line that are laid out without being looked at."""
        return max(0, self.top - LAYOUT_NEAR), self.top + LAYOUT_NEAR

    @property
    def is_guessed(self) -> bool:
        """Whether the height of anything near the view is an estimate."""
        return self.column.is_guessed(*self.near())

    def lay_out_more(self) -> bool:
        """Lay out a little of what is near the view, which stays where it is.

        Return whether there was anything.
        """
        is_at_end = self.top >= self.column.height - self.height
        if not self.column.look_on(LAYOUT_AT_ONCE, *self.near()):
            return False
        # Nothing new came: who scrolled up by a line or two is not taken back to the end.
        self.settle(stays=not is_at_end)
        return True

    def next_job(self) -> Job | None:
        """Return what has just been finished and takes long: it is laid out elsewhere."""
        if self._job_version == self.column.version:
            return None
        self._job_version = self.column.version
        return self.column.job()

    def finish_job(self, job: Job, lines: list[Line] | None) -> None:
        """Take what a job gave; without lines it failed, and what it is about stays as it looks."""
        self._job_version = -1
        with self._anchors.holding(None if self.following else self.top):
            if lines is None:
                self.column.give_up(job)
            else:
                self.column.put(job, lines)
        self.settle()

    # --- scrolling ------------------------------------------------------------------------

    def scroll(self, old: int, new: int) -> None:
        """Make line `new` the first one in view, `old` being the first one until now."""
        # Lines above were an estimate until now: what was in view stays at its distance.
        held = self.column.anchor(old) if abs(new - old) <= 2 * self.height else None
        self._put(new, held, new - old, max(0, old - new))

    def _put(self, top: int, held: Anchor | None = None, offset: int = 0, below: int = 0) -> None:
        """Make `top` the first line in view, as far as there are lines below it.

        `held`, `offset` and `below` are as for `_lay_out`.
        """
        self._anchors.scrolled()
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
        """Go to the end, and stay there; what was left open for reading folds."""
        self.following = True
        if self.view is not None:
            self.column.show(self.view)
        self.settle()

    def stay(self) -> None:
        """Do not follow the end any more."""
        if self.following:
            self.following = False
            self._anchors.leave_end()

    def to_start(self) -> None:
        """Go to the first line there is; what is older comes in above it."""
        self._put(0)

    def to_line(self, y: int) -> None:
        """Make line `y` the first one in view, if there are enough below it."""
        self._put(y, self.column.anchor(y))

    def bring_into_view(self, y: int, *, edge: bool = False) -> None:
        """Scroll if line `y` is not in view: to the middle, or just as far as needed."""
        if self.shows(y):
            return
        rows = (0 if y < self.top else self.height - 1) if edge else self.height // 2  # above it
        self._put(y - rows, self.column.anchor(y), -rows)

    # --- what is in view ------------------------------------------------------------------

    def shows(self, y: int) -> bool:
        """Say whether line `y` is in view."""
        return self.top <= y < self.top + self.height

    def place_at(self, x: int, row: int) -> Place:
        """Return the place in cell `x` of a row of the view."""
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
        """Say whether the first line of a section is in view, or below it."""
        index = self.column.index(key)
        return index is not None and self.column.start(index) >= self.top

    def folded_away(self, message_id: int) -> bool:
        """Say whether a message has gone into a folded run of steps."""
        return isinstance(self.column.assembly.moved.get(message_id), FoldKey)

    @property
    def wants_older(self) -> bool:
        """Whether the first line there is comes into view, and there are older messages."""
        return self.top <= OLDER_WITHIN_LINES and self.view is not None and self.view.older

    @property
    def wants_gap(self) -> bool:
        """Whether a place where messages are missing comes into view."""
        gap = self.column.index(GAP)
        if gap is None:
            return False
        first, last = self.top - OLDER_WITHIN_LINES, self.top + self.height + OLDER_WITHIN_LINES
        return first <= self.column.start(gap) <= last
