"""All sections of a chat under each other: which line is where, and what holds still.

Sections far out of view are not laid out; their heights are estimated. A place in the text is
named by an `Anchor`, which stays true whatever happens above it, and around it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from itertools import accumulate
from typing import NamedTuple

from palaver_tui.state.chat import ChatView
from palaver_tui.text.document import Job
from palaver_tui.text.spans import BLANK, FOREVER, Line
from palaver_tui.transcript.assembly import LIVE, Assembly
from palaver_tui.transcript.blocks import Spot
from palaver_tui.transcript.folds import FoldKey, Folds
from palaver_tui.transcript.message_stacks import Look
from palaver_tui.transcript.section import Section

NOWHERE = Spot(None, 0)
SECTION_COST = 100  # to lay out one is as much work as so many characters of its text


class Anchor(NamedTuple):
    """A line, named so that it can be found again: by its block, or else by its number.

    A line that is only there for the looks is named by the spot it is `below`, by so many lines.
    """

    key: Hashable
    line: int
    spot: Spot = NOWHERE
    below: int = 0


class Column:
    """The sections of one chat."""

    def __init__(self, look: Look) -> None:
        self.assembly = Assembly(look)
        self.width = 80
        self.sections: list[Section] = []
        self.version = 0  # counts the changes of where things are
        self.expecting = False  # some lines of what was looked at are only expected
        self._view: ChatView | None = None
        self._starts: list[int] = [0]
        self._index: dict[Hashable, int] = {}

    # --- what is shown --------------------------------------------------------------------

    def show(self, view: ChatView, *, reading: bool = False) -> None:
        """Bring the sections up to `view`; what did not change is kept as it is.

        While somebody is `reading`, away from the end, nothing folds by itself.
        """
        self._view = view
        sections = self.assembly.sections(view, self.width, reading=reading)
        if sections != self.sections:
            self.sections = sections
            self._index = {section.key: number for number, section in enumerate(sections)}
        for section in sections:
            if isinstance(section.key, tuple) and section.key[0] == LIVE:
                section.measure(self.width, lazily=True)
            section.estimate(self.width)
            self.expecting = self.expecting or not section.is_whole
        self._restart()

    def set_width(self, width: int) -> None:
        """Lay out for another width; heights are estimates until they are looked at."""
        if width != self.width:
            self.width = width
            for section in self.sections:
                section.cache.clear()
                section.estimate(width)
            self._restart()

    def set_folds(self, folds: Folds) -> None:
        """Fold and unfold; to be followed by `show`."""
        self.assembly.set_folds(folds)

    # --- where things are -----------------------------------------------------------------

    def _restart(self) -> None:
        self.version += 1
        self._starts = [0, *accumulate(section.height for section in self.sections)]

    def job(self) -> Job | None:
        """Return what is to be laid out off the event loop."""
        section = next((one for one in reversed(self.sections) if one.has_job), None)
        return section.stack.job() if section is not None else None

    def put(self, job: Job, lines: list[Line]) -> bool:
        """Take the lines that a job gave; return whether they were still wanted."""
        if not job.document.is_due(job):
            return False
        for section in self.sections:
            if any(block.laid is job.document for block in section.blocks):
                put = section.put(job, lines)
                self._restart()
                return put
        return False

    def give_up(self, job: Job) -> None:
        """Leave what a job is about as it looks: the job failed."""
        job.document.give_up(job)
        for section in self.sections:
            if any(block.laid is job.document for block in section.blocks):
                section.has_job = section.stack.job() is not None

    @property
    def height(self) -> int:
        """All lines, laid out or estimated."""
        return self._starts[-1]

    def at(self, y: int) -> int:
        """Return the index of the section that line `y` is in."""
        return max(0, min(bisect_right(self._starts, y) - 1, len(self.sections) - 1))

    def index(self, key: Hashable) -> int | None:
        """Return the index of a section, or of what it has gone into; None if it is gone."""
        for _ in range(3):  # live, then a message, then folded
            found = self._index.get(key)
            if found is not None or key not in self.assembly.moved:
                return found
            key = self.assembly.moved[key]
        return self._index.get(key)

    def start(self, index: int) -> int:
        """Return the first line of a section."""
        return self._starts[index]

    def anchor(self, y: int) -> Anchor | None:
        """Return the name of line `y`."""
        if not self.sections:
            return None
        index = self.at(y)
        section = self.sections[index]
        line = y - self._starts[index]
        if section.measured_at != self.width:
            return Anchor(section.key, line)
        for below in range(line + 1):
            spot = section.stack.spot(line - below)
            if spot.block is not None:
                return Anchor(section.key, line, spot, below)
        return Anchor(section.key, line)

    def position(self, anchor: Anchor) -> int | None:
        """Return where the line is now; None if its section is gone."""
        index = self.index(anchor.key)
        if index is None:
            return None
        section = self.sections[index]
        line = section.stack.line_of(anchor.spot) if section.measured_at == self.width else None
        if line is None:
            gone = isinstance(section.key, FoldKey) and section.key != anchor.key
            line = 0 if gone else anchor.line
        else:
            line += anchor.below
        return self._starts[index] + min(line, max(0, section.height - 1))

    def find(self, anchor: Anchor) -> int | None:
        """Return where the line is as `position` does, laid out if it was not."""
        index = self.index(anchor.key)
        if index is None:
            return None
        while True:
            self.expect(index)
            found = self.position(anchor)
            line = 0 if found is None else found - self._starts[index]
            if not self.look(index, line, line + 1):
                return found

    def measure(self, top: int, height: int) -> bool:
        """Lay out the lines in view, downwards from `top`; return whether there was anything."""
        if not self.sections:
            return False
        changed = False
        index = self.at(top)
        while index < len(self.sections) and self._starts[index] < top + height:
            low = top - self._starts[index]
            changed = self.look(index, low, low + height) or changed
            index += 1
        return changed

    def measure_tail(self, height: int) -> None:
        """Lay out the last `height` lines."""
        filled = 0
        for index in range(len(self.sections) - 1, -1, -1):
            self.expect(index)
            section = self.sections[index]
            while self.look(index, section.height - (height - filled), section.height):
                pass
            filled += section.height
            if filled >= height:
                return

    def measure_one(self, index: int) -> None:
        """Lay out one section, whole."""
        section = self.sections[index]
        if section.measured_at != self.width or section.stale or not section.is_whole:
            section.measure(self.width)
            self._restart()

    def expect(self, index: int) -> bool:
        """Lay out what there is no estimate for in one section; return whether there was any."""
        section = self.sections[index]
        if section.measured_at == self.width and not section.stale:
            return False
        section.measure(self.width, lazily=True)
        self.expecting = self.expecting or not section.is_whole
        self._restart()
        return True

    def look(self, index: int, low: int, high: int) -> bool:
        """Lay out lines `low` to `high` of one section; return whether there was anything."""
        expected = self.expect(index)
        section = self.sections[index]
        if not section.look(low, high):
            return expected
        self._restart()
        return True

    def is_guessed(self, first: int, last: int) -> bool:
        """Say whether the height of anything in lines `first` to `last` is an estimate."""
        return self.expecting or self._unseen(first, last) is not None

    def _unseen(self, first: int, last: int) -> int | None:
        """Return the last section in lines `first` to `last` that was never looked at."""
        if not self.sections:
            return None
        near = range(self.at(last), self.at(first) - 1, -1)
        return next((n for n in near if self.sections[n].measured_at != self.width), None)

    def look_on(self, characters: int, first: int, last: int) -> bool:
        """Lay out more of what is only expected, where something was looked at and in these lines.

        Return whether there was anything. No piece is begun after so many `characters`.
        """
        for section in self.sections:
            if section.measured_at == self.width and section.look(0, FOREVER, characters):
                self._restart()
                return True
        self.expecting = False
        taken = 0
        while taken < characters and (unseen := self._unseen(first, last)) is not None:
            self.expect(unseen)
            taken += SECTION_COST + self.sections[unseen].characters
        return taken > 0

    def measure_section(self, section: Section, characters: int) -> bool:
        """Lay out more of a section wherever it is, also one that is folded away.

        Return whether it is whole now. No piece is begun after so many `characters`.
        """
        before = section.version, section.height
        if section.measured_at != self.width or section.stale:
            section.measure(self.width, lazily=True)
        section.look(0, FOREVER, characters)
        if before != (section.version, section.height):
            self._restart()
        return section.is_whole

    def line(self, y: int) -> tuple[Section | None, int, Line]:
        """Return the section that line `y` is in, its number in it, and the line."""
        if not self.sections or not 0 <= y < self.height:
            return None, 0, BLANK
        index = self.at(y)
        section = self.sections[index]
        number = y - self._starts[index]
        if section.measured_at != self.width or number >= len(section.stack.lines):
            return None, 0, BLANK
        return section, number, section.stack.lines[number]

    def fold_at(self, y: int) -> FoldKey | None:
        """Return what folds or unfolds on line `y`."""
        section, number, _line = self.line(y)
        return section.fold_at(number) if section is not None else None
