"""Searching in the conversation: what was found, and which of it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING

from palaver.wire.messages import Message, Reasoning, Text, ToolCall, ToolResult
from palaver_tui.timing import SEARCH_PAUSE_S, SEARCH_UNITS
from palaver_tui.transcript.folds import FoldKey
from palaver_tui.transcript.matches import Query, plain_json
from palaver_tui.transcript.search_index import Finder, Match, folds_over
from palaver_tui.transcript.section import Section
from palaver_tui.widgets.transcript.marks import Mark

if TYPE_CHECKING:
    from palaver_tui.widgets.transcript.widget import Transcript


class Searching:
    """One search; inactive while there is no query."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._finder: Finder | None = None
        self._going_on = False  # between two slices
        self._awaited = False  # the first match is to be shown when it is found
        self._then: Callable[[], None] | None = None  # to be done when all was looked at
        self.matches: list[Match] = []
        self.current: Match | None = None

    @property
    def active(self) -> bool:
        """Whether something is searched for."""
        return self._finder is not None

    @property
    def done(self) -> bool:
        """Whether all there is was looked at."""
        return self._finder is None or self._finder.done

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
        if query.empty:
            self.end()
            return
        self._finder = self._finder_of(query, self._finder)
        self.current, self._awaited, self._then = None, True, None
        self.find()
        self._transcript.refresh()

    def _finder_of(self, query: Query, before: Finder | None = None) -> Finder:
        column = self._transcript.column
        return Finder(query, column.assembly.texts, column.measure_section, before)

    def end(self) -> None:
        """Search for nothing."""
        self._finder, self.current, self.matches, self._then = None, None, [], None
        self._transcript.refresh()

    def restart(self) -> None:
        """Another chat, or another column: find in it."""
        if self._finder is not None:
            self._finder = self._finder_of(self._finder.query)
            self.current, self._then = None, None

    def when_done(self, then: Callable[[], None]) -> None:
        """Do something as soon as all there is was looked at; another wish replaces it."""
        self._then = then

    def find(self) -> None:
        """Bring the matches up to what there is, as far as that takes no time; then go on."""
        if self._finder is None or self._going_on:
            return  # what is new is looked at with the next slice
        self._slice(self._finder)
        if not self._finder.done:
            self._going_on = True
            self._transcript.run_worker(self._go_on())

    async def _go_on(self) -> None:
        try:
            while (finder := self._finder) is not None and not finder.done:
                if (apart := finder.apart) is not None:
                    finder.put(apart, await asyncio.to_thread(apart.lines))
                else:
                    await asyncio.sleep(SEARCH_PAUSE_S)
                if finder is self._finder:
                    self._slice(finder)
                    self._transcript.post_message(self._transcript.Marked())
        finally:
            self._going_on = False

    def _slice(self, finder: Finder, units: float = SEARCH_UNITS) -> None:
        column = self._transcript.column
        before = column.version
        finder.advance(self._nearest_first(), column.width, units)
        self.matches = finder.matches(column.assembly.all_sections())
        if column.version != before:  # what was an estimate is not one any more
            self._transcript.settle()
        if self._awaited and self.matches:
            self._awaited = False
            self.current = self._nearest()
            if self.current is not None:
                self.reveal(self.current)
        self._transcript.refresh()
        if finder.done and self._then is not None:
            then, self._then = self._then, None
            self._transcript.call_later(then)

    def _nearest_first(self) -> list[Section]:
        """Return all sections: what is in view and upwards, then what is below."""
        sections = self._transcript.column.assembly.all_sections()
        in_view = {section.key for section in self._transcript.sections_in_view()}
        last = max((at for at, one in enumerate(sections) if one.key in in_view), default=-1)
        if last < 0:
            return sections[::-1]
        return sections[last::-1] + sections[last + 1 :]

    def step(self, steps: int) -> bool:
        """Go to the next match below (1) or above (-1); return whether there was one."""
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
        finder, column = self._finder, self._transcript.column
        section = column.assembly.section(message_id)
        if finder is None or section is None:
            return False
        finder.finish(section, column.width)
        self.find()
        found = [match for match in finder.matches([section]) if match.key == message_id]
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
        if self._finder is None:
            return None
        column.measure_one(index)
        line = self._finder.line_of(column.sections[index], match)
        return None if line is None else column.start(index) + line

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

    def marks(self, section: Section, line: int) -> Iterator[Mark]:
        """Yield what was found on a line of a section."""
        if self._finder is None:
            return
        for start, end, match in self._finder.on_line(section, line):
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
                    texts += [name, plain_json(arguments)]
        return message.visibility != "model" and self._finder.query.may_be_in(texts)


def _up_to(key: Hashable, message_id: int) -> bool:
    return isinstance(key, int) and key <= message_id
