"""Search in the conversation: the matches, and the current one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from palaver.wire.messages import Message, Reasoning, Text, ToolCall, ToolResult
from palaver_tui.text.spans import Line
from palaver_tui.timing import SEARCH_UNITS
from palaver_tui.transcript.marks import Mark
from palaver_tui.transcript.match_places import place_of_match, unfolded
from palaver_tui.transcript.matches import Query, plain_json
from palaver_tui.transcript.search_index import Match, SearchIndex, Unfolding
from palaver_tui.transcript.section import Section
from palaver_tui.transcript.viewport import Viewport


class Search:
    """One search; inactive while there is no query.

    A long search is done in slices: `go_on` is called once; then `advance` is to be called until
    `done`, and `paused` after that.
    """

    def __init__(self, viewport: Viewport, go_on: Callable[[], None]) -> None:
        self._viewport = viewport
        self._go_on = go_on
        self._index: SearchIndex | None = None
        self._going_on = False  # between two slices
        self._awaited = False  # the first match will be shown when it is found
        self._then: Callable[[], None] | None = None  # to be called when the search is done
        self.matches: list[Match] = []
        self.current: Match | None = None

    @property
    def active(self) -> bool:
        """Whether there is a query."""
        return self._index is not None

    @property
    def done(self) -> bool:
        """Whether all sections were searched."""
        return self._index is None or self._index.done

    @property
    def query(self) -> Query | None:
        """The query; None while inactive."""
        return self._index.query if self._index is not None else None

    @property
    def index(self) -> int | None:
        """The index of the current match, from 0 at the top; None if there is none."""
        return self.matches.index(self.current) if self.current in self.matches else None

    def begin(self, text: str) -> None:
        """Search for `text`; the match nearest to the view becomes the current one."""
        query = Query(text)
        if query.empty:
            self.end()
            return
        self._index = self._index_of(query, self._index)
        self.current, self._awaited, self._then = None, True, None
        self.find()
        self._viewport.display.show_marks()

    def _index_of(self, query: Query, before: SearchIndex | None = None) -> SearchIndex:
        column = self._viewport.column
        return SearchIndex(query, column.assembly.texts, column.measure_section, before)

    def end(self) -> None:
        """End the search."""
        self._index, self.current, self.matches, self._then = None, None, [], None
        self._viewport.display.show_marks()

    def restart(self) -> None:
        """Search again, in another chat or another column."""
        if self._index is not None:
            self._index = self._index_of(self._index.query)
            self.current, self._then = None, None

    def when_done(self, then: Callable[[], None]) -> None:
        """Store a function to be called when the search is done; it replaces an earlier one."""
        self._then = then

    def find(self) -> None:
        """Search one slice; if more is left, schedule the other slices with `go_on`."""
        if self._index is None or self._going_on:
            return  # the next slice searches what is new
        self.advance()
        if not self.done:
            self._going_on = True
            self._go_on()

    @property
    def apart(self) -> Unfolding | None:
        """What has to be laid out off the event loop before the next slice; None if nothing."""
        return self._index.apart if self._index is not None else None

    def put(self, unfolding: Unfolding, lines: list[Line]) -> None:
        """Store the lines of `apart`, laid out off the event loop."""
        if self._index is not None:
            self._index.put(unfolding, lines)

    def advance(self) -> None:
        """Search the next slice."""
        index, column = self._index, self._viewport.column
        if index is None:
            return
        before = column.version
        index.advance(self._nearest_first(), column.width, SEARCH_UNITS)
        self.matches = index.matches(column.assembly.all_sections())
        if column.version != before:  # estimated heights were corrected
            self._viewport.settle()
        if self._awaited and self.matches:
            self._awaited = False
            self.current = self._nearest()
            if self.current is not None:
                self.reveal(self.current)
        self._viewport.display.show_marks()

    def paused(self) -> None:
        """End the slices: new text is searched when `find` is called."""
        self._going_on = False

    def take_wish(self) -> Callable[[], None] | None:
        """Return and clear the function of `when_done`; None while the search is not done."""
        if not self.done:
            return None
        then, self._then = self._then, None
        return then

    def _nearest_first(self) -> list[Section]:
        """Return all sections: upwards from the end of the view, then those below it."""
        sections = self._viewport.column.assembly.all_sections()
        in_view = {section.key for section in self._viewport.sections()}
        last = max((at for at, one in enumerate(sections) if one.key in in_view), default=-1)
        if last < 0:
            return sections[::-1]
        return sections[last::-1] + sections[last + 1 :]

    def step(self, steps: int) -> bool:
        """Move to the next match below (1) or above (-1); return whether there was one."""
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
        """Move to the last or first match in a message; return whether there is one."""
        index, column = self._index, self._viewport.column
        section = column.assembly.section(message_id)
        if index is None or section is None:
            return False
        index.finish(section, column.width)
        self.find()
        found = [match for match in index.matches([section]) if match.key == message_id]
        if not found:
            return False
        self.current = found[-1 if last else 0]
        self.reveal(self.current)
        return True

    def is_last_before(self, message_id: int) -> bool:
        """Return whether the current match is the last one in messages up to `message_id`."""
        keys = [match.key for match in self.matches]
        index = self.index
        if index is None or not _up_to(keys[index], message_id):
            return False
        return index + 1 == len(keys) or not _up_to(keys[index + 1], message_id)

    def _nearest(self) -> Match | None:
        """Return the last match that begins above the view's lower edge, else the first one."""
        column = self._viewport.column
        bottom = self._viewport.top + self._viewport.height
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
        """Return the line where a match begins; None if it is folded, or gone."""
        return None if self._index is None else place_of_match(self._viewport, self._index, match)

    def reveal(self, match: Match) -> None:
        """Unfold the folds around a match, and scroll it into view."""
        if (
            self._index is not None
            and (y := unfolded(self._viewport, self._index, match)) is not None
        ):
            self._viewport.bring_into_view(y)
        self._viewport.display.show_marks()

    def marks(self, section: Section, line: int) -> Iterator[Mark]:
        """Yield the marks of the matches on a line of a section."""
        if self._index is None:
            return
        for start, end, match in self._index.on_line(section, line):
            yield Mark(start, end, "here" if match == self.current else "found")

    def holds(self, message: Message) -> bool:
        """Return whether a message that is not loaded may have a match."""
        if self._index is None:
            return False
        texts: list[str] = []
        for part in message.parts:
            match part:
                case Text(text=text) | Reasoning(text=text) | ToolResult(text=text):
                    texts.append(text)
                case ToolCall(name=name, arguments=arguments):
                    texts += [name, plain_json(arguments)]
        return message.visibility != "model" and self._index.query.may_be_in(texts)


def _up_to(key: Hashable, message_id: int) -> bool:
    return isinstance(key, int) and key <= message_id
