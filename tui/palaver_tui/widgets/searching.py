"""Searching in the conversation: what was found, and which of it is shown."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from palaver.wire.messages import Message, Reasoning, Text, ToolCall, ToolResult
from palaver_tui.layout.finding import Finder, Match, Query, drawn, folds_over
from palaver_tui.layout.folding import FoldKey
from palaver_tui.layout.section import Section
from palaver_tui.widgets.marks import Mark

if TYPE_CHECKING:
    from palaver_tui.widgets.transcript import Transcript


class Searching:
    """One search; inactive while there is no query."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._finder: Finder | None = None
        self._drawn: dict[Hashable, tuple[object, dict[int, list[tuple[int, int, Match]]]]] = {}
        self.matches: list[Match] = []
        self.current: Match | None = None

    @property
    def active(self) -> bool:
        """Whether something is searched for."""
        return self._finder is not None

    @property
    def query(self) -> Query | None:
        """What is searched for."""
        return self._finder.query if self._finder is not None else None

    @property
    def index(self) -> int | None:
        """The number of the match that is shown, from 0 at the top."""
        return self.matches.index(self.current) if self.current in self.matches else None

    def begin(self, text: str) -> None:
        """Search for `text`; the match nearest to what is in view becomes the current one."""
        query = Query(text)
        self._drawn.clear()
        if query.empty:
            self.end()
            return
        column = self._transcript.column
        self._finder = Finder(query, column.measure_section)
        column.whole = True  # matches are counted from the beginning of a text
        self.find()
        self.current = self._nearest()
        if self.current is not None:
            self.reveal(self.current)
        self._transcript.refresh()

    def end(self) -> None:
        """Search for nothing."""
        self._finder, self.current, self.matches = None, None, []
        self._transcript.column.whole = False
        self._drawn.clear()
        self._transcript.refresh()

    def restart(self) -> None:
        """Another chat, or another column: find in it."""
        if self._finder is not None:
            column = self._transcript.column
            self._finder = Finder(self._finder.query, column.measure_section)
            column.whole = True
            self._drawn.clear()
            self.current = None

    def find(self) -> None:
        """Bring the matches up to what there is."""
        column = self._transcript.column
        if self._finder is not None:
            before = column.version
            sections = column.assembly.all_sections()
            self.matches = self._finder.matches(sections, column.width)
            if column.version != before:  # what was an estimate is not one any more
                self._transcript.settle()

    def step(self, steps: int) -> bool:
        """Go to the next match below (1) or above (-1); return whether there was one."""
        self.find()
        if not self.matches:
            return False
        index = self.index
        if index is None:
            self.current = self._nearest()
        elif 0 <= index + steps < len(self.matches):
            self.current = self.matches[index + steps]
        else:
            return False
        if self.current is not None:
            self.reveal(self.current)
        return True

    def show_in(self, message_id: int, last: bool) -> bool:
        """Go to the last or first match in a message; return whether there is one."""
        self.find()
        found = [match for match in self.matches if match.key == message_id]
        if not found:
            return False
        self.current = found[-1 if last else 0]
        self.reveal(self.current)
        return True

    def is_last_before(self, message_id: int) -> bool:
        """Say whether the current match is the last one in messages up to `message_id`."""
        keys = [match.key for match in self.matches]
        index = self.index
        if index is None or not _up_to(keys[index], message_id):
            return False
        return index + 1 == len(keys) or not _up_to(keys[index + 1], message_id)

    def _nearest(self) -> Match | None:
        """Return the last match at or above the lower edge of the view, else the first one."""
        transcript = self._transcript
        column = transcript.column
        bottom = transcript.scroll_offset.y + transcript.scrollable_content_region.height
        below = column.at(max(0, bottom - 1))
        best = None
        for match in self.matches:
            index = column.index(match.key)
            if index is None or index > below:
                break
            if index == below and (y := self.place(match)) is not None and y >= bottom:
                break
            best = match
        return best or (self.matches[0] if self.matches else None)

    def place(self, match: Match) -> int | None:
        """Return the line that a match begins on; None while it is folded, or gone."""
        column = self._transcript.column
        index = column.index(match.key)
        if index is None or column.sections[index].key != match.key:
            return None
        column.measure_one(index)
        for line, found in sorted(self._in(column.sections[index]).items()):
            if any(where == match for _start, _end, where in found):
                return column.start(index) + line
        return None

    def reveal(self, match: Match) -> None:
        """Unfold what a match is in, and bring it into view."""
        transcript = self._transcript
        folds = transcript.folds
        run = transcript.column.assembly.moved.get(match.key)
        wanted = [run] if isinstance(run, FoldKey) else []
        section = transcript.column.assembly.section(match.key)
        if section is not None and self.place(match) is None:
            wanted += folds_over(section, match)
        for key in wanted:
            if not folds.is_open(key):
                folds = folds.turn(key)
        if folds != transcript.folds:
            transcript.set_folds(folds)
        if (y := self.place(match)) is not None:
            transcript.bring_into_view(y)
        transcript.refresh()

    def _in(self, section: Section) -> dict[int, list[tuple[int, int, Match]]]:
        assert self._finder is not None
        state = (id(section), section.version)
        known = self._drawn.get(section.key)
        if known is None or known[0] != state:
            known = (state, drawn(section, self._finder.query))
            self._drawn[section.key] = known
        return known[1]

    def marks(self, section: Section, line: int) -> Iterator[Mark]:
        """Yield what was found on a line of a section."""
        if self._finder is None:
            return
        for start, end, match in self._in(section).get(line, ()):
            yield Mark(start, end, "here" if match == self.current else "found")

    def holds(self, message: Message) -> bool:
        """Say whether a message that is not here has, as far as one can see, what is searched."""
        if self._finder is None:
            return False
        texts: list[str] = []
        for part in message.parts:
            match part:
                case Text(text=text) | Reasoning(text=text) | ToolResult(text=text):
                    texts.append(text)
                case ToolCall(name=name, arguments=arguments):
                    texts += [name, arguments]
        return message.visibility != "model" and self._finder.query.may_be_in(texts)


def _up_to(key: Hashable, message_id: int) -> bool:
    return isinstance(key, int) and key <= message_id
