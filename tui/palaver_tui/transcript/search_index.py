"""Search index: the matches of one query in all sections of a chat, the nearest ones first.

The layout is the cost. A section is not laid out if its texts do not have the words, or if a
shorter query found nothing in it; and the work is done in slices, so that no key waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple
from weakref import WeakKeyDictionary

from palaver_tui.text.document import MarkdownDocument, PlainDocument
from palaver_tui.text.spans import Line
from palaver_tui.timing import SEARCH_UNITS
from palaver_tui.transcript.blocks import Block
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.folds import FoldKey
from palaver_tui.transcript.matches import MAX_FOUND, Occurrences, Query, plain_json
from palaver_tui.transcript.section import Section
from palaver_tui.transcript.thoughts import ReasoningBlock

Folding = CallBlock | ReasoningBlock
Text = MarkdownDocument | PlainDocument
# Characters that each kind of work handles in the time of laying out one character of Markdown.
CUT_PER_UNIT = 4  # splitting into blocks, before any is laid out
UNFOLDED_PER_UNIT = 10  # laying out a call or a thought
READ_PER_UNIT = 40  # matching the query
FILTERED_PER_UNIT = 500  # looking for its words
# A longer fold is laid out off the event loop: it may have to be highlighted.
UNFOLD_AT_ONCE = 4_000  # characters
KEPT_LINES = 100_000  # unfolded lines in the cache, so that the next letter of a query reuses them


class Match(NamedTuple):
    """The `number`-th occurrence in a block, counted in all its lines, as if unfolded."""

    key: Hashable
    block: Hashable
    number: int


class Unfolding(NamedTuple):
    """A fold in its current state, to be laid out as if it were open."""

    laid: Folding
    width: int
    state: object

    def lines(self) -> list[Line]:
        """Lay out the fold; shares no state, so it may run in a thread."""
        return self.laid.unfolded(self.width)


class Unfolded:
    """A cache of unfolded lines, for all queries of a search; drops the oldest first."""

    def __init__(self) -> None:
        self._kept: dict[Folding, tuple[object, list[Line]]] = {}
        self._lines = 0

    def get(self, wanted: Unfolding) -> list[Line] | None:
        """Return the lines; None if they are not cached or the fold has changed."""
        state, lines = self._kept.get(wanted.laid, (None, []))
        return lines if state == wanted.state else None

    def put(self, wanted: Unfolding, lines: list[Line]) -> None:
        """Cache the lines."""
        self._lines += len(lines) - len(self._kept.pop(wanted.laid, (None, []))[1])
        self._kept[wanted.laid] = (wanted.state, lines)
        while self._lines > KEPT_LINES and len(self._kept) > 1:
            self._lines -= len(self._kept.pop(next(iter(self._kept)))[1])


class _Known(NamedTuple):
    state: object
    matches: list[Match]


class SearchIndex:
    """The matches of one query; call `advance` until `done`, and again after changes."""

    def __init__(
        self,
        query: Query,
        texts: Callable[[Section], Sequence[str] | None],
        measure: Callable[[Section, int], bool],
        before: SearchIndex | None = None,
    ) -> None:
        """Create an index for `query`.

        `texts` returns the texts of a section, None if unknown. `measure` lays out some characters
        of a section, and returns whether it is whole. `before` is the index of an earlier query
        for the same sections.
        """
        self.query = query
        self.done = False
        self.apart: Unfolding | None = None  # to be laid out off the event loop, then `put`
        self._texts = texts
        self._measure = measure
        self._known: dict[Hashable, _Known] = {}
        self._in_texts: WeakKeyDictionary[Text, Occurrences] = WeakKeyDictionary()
        # With the state it was read in; None for a call that cannot have the words.
        self._in_folding: WeakKeyDictionary[Folding, tuple[object, Occurrences | None]]
        self._in_folding = WeakKeyDictionary()
        # In the lines that are drawn, which are fewer if it is folded.
        self._in_drawn: WeakKeyDictionary[Folding, Occurrences] = WeakKeyDictionary()
        self._drawn: dict[Hashable, object] = {}  # the state of sections when they were read
        self._unfolded: Unfolded = before._unfolded if before is not None else Unfolded()
        if before is not None and query.narrows(before.query):
            self._known = {key: known for key, known in before._known.items() if not known.matches}

    def advance(self, sections: Iterable[Section], width: int, units: float) -> None:
        """Search new and changed sections, in this order, until `units` are used up.

        A unit is the work of laying out one character of Markdown.
        """
        self.done, self.apart = False, None
        found = 0
        for section in sections:
            state = _state(section, width)
            known = self._known.get(section.key)
            if known is None or section.stale or known.state != state:
                if units <= 0:
                    return
                for work in self._look_into(section, width):
                    units -= work
                    if units <= 0:
                        break
                if self.apart is not None:
                    return
                known = self._known.get(section.key)
                if known is None or known.state != _state(section, width):
                    return
            found += len(known.matches)
            if found >= MAX_FOUND:
                break
        self.done = True

    def finish(self, section: Section, width: int) -> None:
        """Search all of one section, however long it takes; call `advance` for the others."""
        self.advance([section], width, inf)
        while self.apart is not None:
            self.put(self.apart, self.apart.lines())
            self.advance([section], width, inf)

    def put(self, wanted: Unfolding, lines: list[Line]) -> None:
        """Cache the lines of `apart`, laid out off the event loop."""
        self._unfolded.put(wanted, lines)

    def matches(self, sections: Iterable[Section]) -> list[Match]:
        """Return the matches found in `sections`, in their order."""
        found: list[Match] = []
        for section in sections:
            known = self._known.get(section.key)
            if known is not None:
                found += known.matches
            if len(found) >= MAX_FOUND:
                break
        return found

    def _look_into(self, section: Section, width: int) -> Iterator[float]:
        """Search one section; yield the work of each step. Its matches are stored after the last.

        Called again it continues, as finished steps are cached: even a long section gets done.
        """
        texts, work = self._texts(section), 1.0
        if texts is not None:
            work += sum(map(len, texts)) / FILTERED_PER_UNIT
            if not self.query.may_be_in(texts):
                self._known[section.key] = _Known(_state(section, width), [])
                yield work
                return
        if not section.blocks:
            section.make()
            yield work + section.characters / CUT_PER_UNIT
        fresh = section.measured_at != width
        while not self._measure(section, SEARCH_UNITS):
            yield work + SEARCH_UNITS
            fresh = False
        yield work + (section.characters if fresh else 0)
        matches: list[Match] = []
        for block in section.stack.blocks:
            inner = max(1, width - len(block.margin.text))
            occurrences, work = self._in(block, inner)
            yield work
            if self.apart is not None:
                return
            numbers = range(len(occurrences.found) if occurrences is not None else 0)
            matches += [Match(section.key, block.key, number) for number in numbers]
        self._known[section.key] = _Known(_state(section, width), matches)

    def _in(self, block: Block, width: int) -> tuple[Occurrences | None, float]:
        """Return the occurrences in one block, None if it has none, and the work."""
        laid = block.laid
        if isinstance(laid, Text):
            found = self._in_texts.setdefault(laid, Occurrences(self.query))
            return found, found.update(laid.lines) / READ_PER_UNIT
        if not isinstance(laid, Folding):
            return None, 0
        state = (width, _folding_state(laid))
        known = self._in_folding.get(laid)
        if known is not None and known[0] == state:
            return known[1], 0
        work = 1.0
        if isinstance(laid, CallBlock):
            texts = call_texts(laid)
            work += sum(map(len, texts)) / FILTERED_PER_UNIT
            if not self.query.may_be_in(texts):
                self._in_folding[laid] = (state, None)
                return None, work
        wanted = Unfolding(laid, width, state)
        lines = self._unfolded.get(wanted)
        if lines is None:
            size = _size(laid)
            if size > UNFOLD_AT_ONCE:
                self.apart = wanted
                return None, work
            work += size / UNFOLDED_PER_UNIT
            lines = wanted.lines()
            self._unfolded.put(wanted, lines)
        found = known[1] if known is not None and known[1] is not None else Occurrences(self.query)
        self._in_folding[laid] = (state, found)
        return found, work + found.update(lines) / READ_PER_UNIT

    # --- what is drawn --------------------------------------------------------------------

    def on_line(self, section: Section, line: int) -> Iterator[tuple[int, int, Match]]:
        """Yield the matches on a line of a section, as it is drawn: start, end, match."""
        if not self._has(section):
            return
        self._read_drawn(section)
        block, number = section.stack.place(line)
        occurrences = self._as_drawn(block)
        margin = len(block.margin.text)
        for start, end, which in occurrences.on(number) if occurrences is not None else ():
            yield start + margin, end + margin, Match(section.key, block.key, which)

    def line_of(self, section: Section, match: Match) -> int | None:
        """Return the line of a section where a match begins; None if it is folded."""
        self._read_drawn(section)
        named = section.stack.named(match.block)
        occurrences = self._as_drawn(named[0]) if named is not None else None
        if named is None or occurrences is None or match.number >= len(occurrences.found):
            return None
        return named[1] + occurrences.found[match.number][0].line

    def _has(self, section: Section) -> bool:
        known = self._known.get(section.key)
        return known is not None and bool(known.matches)

    def _read_drawn(self, section: Section) -> None:
        state = (id(section), section.version)
        if self._drawn.get(section.key) == state:
            return
        self._drawn[section.key] = state
        for block in section.stack.blocks:
            if isinstance(block.laid, Folding):
                self._in_drawn.setdefault(block.laid, Occurrences(self.query))
            if (found := self._as_drawn(block)) is not None:
                found.update(block.laid.lines)

    def _as_drawn(self, block: Block) -> Occurrences | None:
        if isinstance(block.laid, Text):
            return self._in_texts.get(block.laid)
        return self._in_drawn.get(block.laid) if isinstance(block.laid, Folding) else None


def _state(section: Section, width: int) -> object:
    return (id(section), section.version, width, section.calls_state())


def _folding_state(laid: Folding) -> object:
    if isinstance(laid, CallBlock):
        return (laid.arguments, laid.result is not None, laid.output.length, laid.state)
    return laid.text_length


def _size(laid: Folding) -> int:
    if isinstance(laid, CallBlock):
        return sum(map(len, call_texts(laid)))
    return laid.text_length


def call_texts(call: CallBlock) -> list[str]:
    """Return the texts that a search can find in a call, as received."""
    came = [call.result.text] if call.result is not None else list(call.output.pieces[:2])
    return [call.name, plain_json(call.arguments), *came]


def folds_over(section: Section, match: Match) -> list[FoldKey]:
    """Return the folds that hide a match, besides a run of steps."""
    for block in section.stack.blocks:
        if block.key == match.block and isinstance(block.laid, Folding):
            return block.laid.folds()
    return []
