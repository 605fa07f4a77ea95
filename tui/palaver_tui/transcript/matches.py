"""Query and its occurrences in a block's lines, updated when these change. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from palaver_tui.text.spans import Line
from palaver_tui.text.visible import encodable, visible

MAX_FOUND = 10_000  # matches that are counted; nobody steps through more
BETWEEN = 160  # characters between words of a snippet: the daemon's snippets are not longer
# Where frequent words are dense, each one more multiplies the tries of a match by about forty.
MOST_IN_ORDER = 3
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")


class Stretch(NamedTuple):
    """The part of a match on one line of a block: characters `start` to `end`."""

    line: int
    start: int
    end: int


class Query:
    """Words to find, ignoring case; blanks between them may be line breaks."""

    def __init__(self, text: str) -> None:
        self.text = text
        words = [word for word in re.split(r"[ \t\n]+", visible(text)) if word]
        self.pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
        self.empty = not words
        self.rows = len(words)  # the most lines that a match can be on, without blank lines
        # Markdown's marks may be between two words, but hardly in a word.
        self._words = [word.casefold() for word in re.findall(r"\w+", text)]

    def narrows(self, other: Query) -> bool:
        """Return whether this query can only match where `other` matches."""
        return not other.empty and self.text.startswith(other.text)

    def may_be_in(self, texts: Iterable[str]) -> bool:
        """Return whether the layout of `texts` may have a match: all words are in them."""
        joined = "\n".join(texts).casefold()
        return all(word in joined for word in self._words)

    def stretches_in(self, texts: Sequence[str], column: int = 0) -> Iterator[list[Stretch]]:
        """Yield the occurrences in the texts of lines below each other, each by its stretches.

        From `column` of the first line on.
        """
        if self.empty:
            return
        starts = [0]
        for text in texts:
            starts.append(starts[-1] + len(text) + 1)
        line = 0
        for found in self.pattern.finditer("\n".join(texts), column):
            while starts[line + 1] <= found.start():
                line += 1
            pieces, at = [], line
            while at < len(texts) and starts[at] < found.end():
                low = max(0, found.start() - starts[at])
                pieces.append(Stretch(at, low, min(len(texts[at]), found.end() - starts[at])))
                at += 1
            yield pieces


class AnyOf(Query):
    """Whole words or phrases, any of which is a match."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Create it; the longest of the phrases that begin at a place is found there."""
        ordered = sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase))
        self._each = [query for query in map(Query, ordered) if not query.empty]
        super().__init__(" ".join(ordered))
        self.pattern = re.compile("|".join(map(_whole, self._each)), re.IGNORECASE)
        self.rows = max((query.rows for query in self._each), default=0)

    def narrows(self, other: Query) -> bool:
        """Return False: it is no query that is typed letter by letter."""
        return False

    def may_be_in(self, texts: Iterable[str]) -> bool:
        """Return whether the layout of `texts` may have a match."""
        given = list(texts)
        return any(query.may_be_in(given) for query in self._each)


class InOrder(Query):
    """The first of some whole words or phrases in this order, with a little text between them."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Create it for the first `MOST_IN_ORDER`: they say enough where the snippet is from."""
        each = [query for query in map(Query, phrases) if not query.empty][:MOST_IN_ORDER]
        super().__init__(" ".join(query.text for query in each))
        between = f"(?s:.{{0,{BETWEEN}}}?)"
        self.pattern = re.compile(between.join(map(_whole, each)), re.IGNORECASE)
        self.rows += BETWEEN * max(0, len(each) - 1)

    def narrows(self, other: Query) -> bool:
        """Return False: it is no query that is typed letter by letter."""
        return False


def _whole(query: Query) -> str:
    """Return a pattern of whole words.

    Scripts without capital letters, such as Chinese, may have nothing between words.
    """
    words = query.text.strip()
    before = r"(?<![^\W_])" if _stands_apart(words[:1]) else ""
    after = r"(?![^\W_])" if _stands_apart(words[-1:]) else ""
    return f"{before}(?:{query.pattern.pattern}){after}"


def _stands_apart(character: str) -> bool:
    return character.isdecimal() or character.lower() != character.upper()


def plain_json(text: str) -> str:
    r"""Return JSON, followed by the same with its escapes decoded: `\u00e9` is an é."""
    if "\\u" not in text:
        return text
    # Both, as the backslash may be escaped itself.
    return text + "\n" + encodable(_ESCAPED.sub(lambda found: json.loads(f'"{found[0]}"'), text))


class Occurrences:
    """The occurrences of a query in the lines of one block. An update reads changed lines only."""

    def __init__(self, query: Query) -> None:
        self.found: list[list[Stretch]] = []
        self._query = query
        self._lines: list[Line] = []
        self._on: dict[int, list[tuple[int, int, int]]] = {}  # start, end, index in `found`

    def update(self, lines: Sequence[Line]) -> int:
        """Update the occurrences to `lines`; return the number of characters read."""
        before = self._lines
        same = 0
        for old, new in zip(before, lines, strict=False):
            if old is not new:
                break
            same += 1
        if same == len(before) == len(lines):
            return 0
        self._lines = list(lines)
        while self.found and self.found[-1][-1].line >= same:
            for line, _start, _end in self.found.pop():
                self._on[line].pop()  # later ones were removed already
        first, column = self._resume(same)
        texts = [line.text for line in lines[first:]]
        for pieces in self._query.stretches_in(texts, column):
            if len(self.found) >= MAX_FOUND:
                break
            where = [Stretch(first + line, start, end) for line, start, end in pieces]
            for line, start, end in where:
                self._on.setdefault(line, []).append((start, end, len(self.found)))
            self.found.append(where)
        return sum(map(len, texts))

    def _resume(self, same: int) -> tuple[int, int]:
        """Return the line and column to read from, if the first `same` lines are unchanged.

        A match that begins above that line is on unchanged lines: it was found before.
        """
        line, rows = same, self._query.rows
        while line > 0 and rows > 1:
            line -= 1
            rows -= bool(self._lines[line].text.strip())
        if self.found:
            last = self.found[-1][-1]
            if last.line >= line:
                return last.line, last.end
        return line, 0

    def on(self, line: int) -> Sequence[tuple[int, int, int]]:
        """Return the occurrences on a line: start, end, and the index in `found`."""
        return self._on.get(line, ())
