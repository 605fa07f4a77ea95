"""Finding words in a chat, also in what is folded or was never laid out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import NamedTuple

from palaver_tui.layout.calls import CallBlock
from palaver_tui.layout.document import MarkdownDocument, PlainDocument
from palaver_tui.layout.faces import Line
from palaver_tui.layout.folding import FoldKey
from palaver_tui.layout.section import Section
from palaver_tui.layout.thoughts import ReasoningBlock
from palaver_tui.layout.visible import visible

MAX_FOUND = 10_000  # matches that are counted; beyond, nobody steps through them


class Match(NamedTuple):
    """The `number`-th occurrence in a block, counted with all of the block unfolded."""

    key: Hashable
    block: Hashable
    number: int


class Stretch(NamedTuple):
    """Part of a match on one line of a block: characters `start` to `end`."""

    line: int
    start: int
    end: int


class Query:
    """Words to find, in any case; blanks between them may be line breaks."""

    def __init__(self, text: str) -> None:
        self.text = text
        words = [word for word in re.split(r"[ \t\n]+", visible(text)) if word]
        self.pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
        self.empty = not words
        # Markdown may stand between two words, but hardly within one.
        self._words = [word.casefold() for word in re.findall(r"\w+", text)]

    def may_be_in(self, texts: Iterable[str]) -> bool:
        """Say whether it is worth laying out what is made of `texts`."""
        joined = "\n".join(texts).casefold()
        return all(word in joined for word in self._words)

    def stretches(self, lines: Iterable[Line]) -> Iterator[list[Stretch]]:
        """Yield where it occurs in lines that stand under each other."""
        texts = [line.text for line in lines]
        starts = [0]
        for text in texts:
            starts.append(starts[-1] + len(text) + 1)
        line = 0
        for found in self.pattern.finditer("\n".join(texts)) if not self.empty else ():
            while starts[line + 1] <= found.start():
                line += 1
            pieces, at = [], line
            while at < len(texts) and starts[at] < found.end():
                low = max(0, found.start() - starts[at])
                pieces.append(Stretch(at, low, min(len(texts[at]), found.end() - starts[at])))
                at += 1
            yield pieces


class Finder:
    """The matches of one query in the sections there are; finds again only in what changed."""

    def __init__(self, query: Query, measure: Callable[[Section], object]) -> None:
        self.query = query
        self._measure = measure  # lays a section out, by whoever keeps its height
        self._known: dict[Hashable, tuple[object, list[Match]]] = {}

    def matches(self, sections: Iterable[Section], width: int) -> list[Match]:
        """Return all matches, top to bottom."""
        found: list[Match] = []
        known, self._known = self._known, {}
        for section in sections:
            entry = known.get(section.key)
            if entry is None or section.stale or entry[0] != _state(section, width):
                matches = list(self._in(section, width))
                entry = (_state(section, width), matches)  # looking may have laid it out
            self._known[section.key] = entry
            found += entry[1]
            if len(found) >= MAX_FOUND:
                break
        return found

    def _in(self, section: Section, width: int) -> Iterator[Match]:
        if self.query.empty:
            return
        if section.texts and not section.has_calls and not self.query.may_be_in(section.texts):
            return
        self._measure(section)
        for block in section.stack.blocks:
            inner = max(1, width - len(block.margin.text))
            for number, _where in enumerate(self.query.stretches(unfolded(block.laid, inner))):
                yield Match(section.key, block.key, number)


def _state(section: Section, width: int) -> object:
    return (id(section), section.version, width, section.calls_state())


def unfolded(laid: object, width: int) -> list[Line]:
    """Return the lines that are searched: all there is of a block, and no labels."""
    if isinstance(laid, CallBlock | ReasoningBlock):
        return laid.unfolded(width)
    return laid.lines if isinstance(laid, MarkdownDocument | PlainDocument) else []


def drawn(section: Section, query: Query) -> dict[int, list[tuple[int, int, Match]]]:
    """Return what is found in the lines of a section as they are, by line: start, end, match."""
    found: dict[int, list[tuple[int, int, Match]]] = {}
    for block, first, _height in section.stack.heights():
        laid = block.laid
        if not isinstance(laid, CallBlock | ReasoningBlock | MarkdownDocument | PlainDocument):
            continue
        margin = len(block.margin.text)
        for number, stretches in enumerate(query.stretches(laid.lines)):
            match = Match(section.key, block.key, number)
            for line, start, end in stretches:
                place = (start + margin, end + margin, match)
                found.setdefault(first + line, []).append(place)
    return found


def folds_over(section: Section, match: Match) -> list[FoldKey]:
    """Return what has to be open for a match to be seen, besides a run of steps."""
    for block in section.stack.blocks:
        if block.key == match.block and isinstance(block.laid, CallBlock | ReasoningBlock):
            return block.laid.folds()
    return []
