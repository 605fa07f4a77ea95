"""Column: all sections of a chat below each other, and where each line is.

Sections far out of view are not laid out; their heights are estimated. An `Anchor` names a line and
stays valid whatever changes above and around it.
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
from palaver_tui.transcript.look import Look
from palaver_tui.transcript.section import Section

NOWHERE = Spot(None, 0)
SECTION_COST = 100  # work of laying out a section besides its text, in characters


class Anchor(NamedTuple):
    """The name of a line, to find it again: the spot in its section, else its number there.

    A line of decoration is named by the spot above it, and the number of lines it is `below` that.
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
        self.version = 0  # counts the changes of positions
        self.expecting = False  # a section that was laid out may have estimated lines
        self._view: ChatView | None = None
        self._starts: list[int] = [0]
        self._index: dict[Hashable, int] = {}

    # --- what is shown --------------------------------------------------------------------

    def show(self, view: ChatView, *, reading: bool = False) -> None:
        """Update the sections to `view`; unchanged ones are kept.

        While the user is `reading`, away from the end, nothing folds by itself.
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
        """Set the width; heights are estimates until sections are laid out again."""
        if width != self.width:
            self.width = width
            for section in self.sections:
                section.cache.clear()
                section.estimate(width)
            self._restart()

    def set_folds(self, folds: Folds) -> None:
        """Apply `folds`; to be followed by `show`."""
        self.assembly.set_folds(folds)

    # --- where things are -----------------------------------------------------------------

    def _restart(self) -> None:
        self.version += 1
        self._starts = [0, *accumulate(section.height for section in self.sections)]

    def job(self) -> Job | None:
        """Return the next job for the background, None if there is none."""
        section = next((one for one in reversed(self.sections) if one.has_job), None)
        return section.stack.job() if section is not None else None

    def put(self, job: Job, lines: list[Line]) -> bool:
        """Replace a finished block's lines by those of its job; return whether that was due."""
        if not job.document.is_due(job):
            return False
        for section in self.sections:
            if any(block.laid is job.document for block in section.blocks):
                put = section.put(job, lines)
                self._restart()
                return put
        return False

    def give_up(self, job: Job) -> None:
        """Keep the lines of a job's block for good: the job failed."""
        job.document.give_up(job)
        for section in self.sections:
            if any(block.laid is job.document for block in section.blocks):
                section.has_job = section.stack.job() is not None

    @property
    def height(self) -> int:
        """The number of all lines, laid out or estimated."""
        return self._starts[-1]

    def at(self, y: int) -> int:
        """Return the index of the section that line `y` is in."""
        return max(0, min(bisect_right(self._starts, y) - 1, len(self.sections) - 1))

    def index(self, key: Hashable) -> int | None:
        """Return the index of a section, or of the one that replaced it; None if it is gone."""
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
        """Return the anchor of line `y`."""
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
        """Return the current line of an anchor; None if its section is gone."""
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
        """Return the current line of an anchor, as `position`, and lay it out if it was not."""
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
        """Lay out `height` lines from `top` on; return whether any was not laid out."""
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
        """Lay out all of one section."""
        section = self.sections[index]
        if section.measured_at != self.width or section.stale or not section.is_whole:
            section.measure(self.width)
            self._restart()

    def expect(self, index: int) -> bool:
        """Lay out one section, its long texts estimated; return whether that was necessary."""
        section = self.sections[index]
        if section.measured_at == self.width and not section.stale:
            return False
        section.measure(self.width, lazily=True)
        self.expecting = self.expecting or not section.is_whole
        self._restart()
        return True

    def look(self, index: int, low: int, high: int) -> bool:
        """Lay out lines `low` to `high` of one section; return whether that was necessary."""
        expected = self.expect(index)
        section = self.sections[index]
        if not section.look(low, high):
            return expected
        self._restart()
        return True

    def is_guessed(self, first: int, last: int) -> bool:
        """Return whether any height in lines `first` to `last` may be an estimate."""
        return self.expecting or self._unseen(first, last) is not None

    def _unseen(self, first: int, last: int) -> int | None:
        """Return the index of the last section in the lines that is only estimated."""
        if not self.sections:
            return None
        near = range(self.at(last), self.at(first) - 1, -1)
        return next((n for n in near if self.sections[n].measured_at != self.width), None)

    def look_on(self, characters: int, first: int, last: int) -> bool:
        """Lay out more estimated lines, of sections that were laid out or are in these lines.

        Return whether there were any. After so many `characters` no further piece is laid out.
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
        """Lay out more of a section, also of one that is in a folded run of steps.

        Return whether it is whole now. After so many `characters` no further piece is laid out.
        """
        before = section.version, section.height
        if section.measured_at != self.width or section.stale:
            section.measure(self.width, lazily=True)
        section.look(0, FOREVER, characters)
        if before != (section.version, section.height):
            self._restart()
        return section.is_whole

    def line(self, y: int) -> tuple[Section | None, int, Line]:
        """Return the section that line `y` is in, the line's index in it, and the line.

        None, 0 and a blank line if it does not exist or is not laid out.
        """
        if not self.sections or not 0 <= y < self.height:
            return None, 0, BLANK
        index = self.at(y)
        section = self.sections[index]
        number = y - self._starts[index]
        if section.measured_at != self.width or number >= len(section.stack.lines):
            return None, 0, BLANK
        return section, number, section.stack.lines[number]

    def fold_at(self, y: int) -> FoldKey | None:
        """Return the fold whose head is on line `y`; None if it is no head."""
        section, number, _line = self.line(y)
        return section.fold_at(number) if section is not None else None
