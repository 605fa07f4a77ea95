"""Finding words in lines that stand under each other, and again when their end changed. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from palaver_tui.text.spans import Line
from palaver_tui.text.visible import encodable, visible

MAX_FOUND = 10_000  # matches that are counted; beyond, nobody steps through them
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")


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
        self.rows = len(words)  # lines that a match can be on, those without words not counted
        # Markdown may stand between two words, but hardly within one.
        self._words = [word.casefold() for word in re.findall(r"\w+", text)]

    def narrows(self, other: Query) -> bool:
        """Say whether nothing can be found that is not where `other` finds something."""
        return not other.empty and self.text.startswith(other.text)

    def may_be_in(self, texts: Iterable[str]) -> bool:
        """Say whether it is worth laying out what is made of `texts`."""
        joined = "\n".join(texts).casefold()
        return all(word in joined for word in self._words)

    def stretches(self, lines: Iterable[Line]) -> Iterator[list[Stretch]]:
        """Yield where it occurs in lines that stand under each other."""
        yield from self.stretches_in([line.text for line in lines])

    def stretches_in(self, texts: Sequence[str], column: int = 0) -> Iterator[list[Stretch]]:
        """Yield where it occurs in the texts of lines, from `column` of the first one on."""
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


def plain_json(text: str) -> str:
    r"""Return JSON, and its letters as they read: `\u00e9` is an é."""
    if "\\u" not in text:
        return text
    # Both, as a backslash may itself be escaped.
    return text + "\n" + encodable(_ESCAPED.sub(lambda found: json.loads(f'"{found[0]}"'), text))


class Occurrences:
    """Where a query occurs in the lines of one block. Of lines that stay, none is read twice."""

    def __init__(self, query: Query) -> None:
        self.found: list[list[Stretch]] = []
        self._query = query
        self._lines: list[Line] = []
        self._on: dict[int, list[tuple[int, int, int]]] = {}  # by line: start, end, which one

    def update(self, lines: Sequence[Line]) -> int:
        """Find in `lines`; return how many characters were read."""
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
                self._on[line].pop()  # nothing that was found later is left
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
        """Return the line and column to read from, if so many lines are the same as before.

        What begins above the line is on lines that stayed: it was found, or is not there.
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
        """Return what is on a line: start, end, and which of all it is."""
        return self._on.get(line, ())
