"""Markdown that arrives in pieces, cut into blocks that never change again.

Only complete lines decide: what a line means is known when its line feed is there. Of the blocks
that the complete lines give, all but the last are finished, and of a list all items but the last.
They are cut off the front, so that what is parsed again for one more token is one open block, an
item or a paragraph, however long the answer has become. An open code fence is not even parsed:
its lines are taken as they come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from palaver_tui.layout.markdown import block_tokens

if TYPE_CHECKING:
    from markdown_it.token import Token

_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})([^\n]*)\n")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")
_ENDS_BLANK = re.compile(r"\n[ \t]*\n\Z")
# A line of a paragraph longer than this is laid out in parts. It shows as one line that ends early
# every few dozen lines, and bounds what one more word of an endless paragraph costs.
LONG_LINE = 3000  # characters
_LISTS = ("bullet_list_open", "ordered_list_open")


class Piece(NamedTuple):
    """One finished block, or item of a list, as source.

    `start` is where it begins in the whole text. `gap`: a blank line comes before it. `number` is
    what an ordered item is numbered with.
    """

    start: int
    source: str
    gap: bool = True
    number: int | None = None


class OpenFence(NamedTuple):
    """The fence that the open text begins with."""

    indent: int
    marks: str
    language: str
    body: int  # where its first line starts, in the open text


class _Cut(NamedTuple):
    """Where a block or an item starts, and what is known about it."""

    start: int
    gap: bool = True
    number: int | None = None


def open_fence(text: str) -> OpenFence | None:
    """Return the fence whose complete opening line `text` begins with, if it does."""
    match = _FENCE.match(text)
    if match is None:
        return None
    indent, marks, info = match.groups()
    if marks[0] == "`" and "`" in info:
        return None  # inline code, not a fence (CommonMark 4.5)
    words = info.split()
    return OpenFence(len(indent), marks, words[0] if words else "", match.end())


def _fence_end(text: str, fence: OpenFence, start: int, limit: int) -> int | None:
    """Return the end of the closing line between the line start `start` and `limit`."""
    mark, least = re.escape(fence.marks[0]), len(fence.marks)
    closing = re.compile(rf"^ {{0,3}}{mark}{{{least},}}[ \t]*(?:\n|\Z)", re.MULTILINE)
    match = closing.search(text, start, limit)
    return match.end() if match else None


class Splitter:
    """Takes text as it comes, gives finished pieces, and keeps what is still open."""

    def __init__(self) -> None:
        self.open = ""
        self.start = 0  # where the open text begins in the whole text
        self.open_gap = False  # does a blank line come before the open text?
        self.open_number: int | None = None
        self._scanned = 0  # how much of an open fence was searched for its end
        self._parsed = 0  # how much of the open text was parsed and is one block

    def feed(self, text: str) -> list[Piece]:
        """Take `text`, return the pieces that are finished by it."""
        self.open += text
        return self._advance(final=False)

    def finish(self) -> list[Piece]:
        """Return what is left, finished."""
        pieces = self._advance(final=True)
        if self.open.strip():
            pieces.append(self._piece(self.open))
        self._cut(len(self.open), _Cut(0))
        return pieces

    def _piece(self, source: str) -> Piece:
        return Piece(self.start, source.rstrip("\n"), self.open_gap, self.open_number)

    def _cut(self, end: int, after: _Cut) -> None:
        """Drop the text up to `end`; `after` describes what comes next."""
        self.open = self.open[end:]
        self.start += end
        self._scanned = self._parsed = 0
        self.open_gap, self.open_number = after.gap, after.number

    def _advance(self, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while True:
            if blank := _BLANK_LINES.match(self.open):
                self._cut(blank.end(), _Cut(0, self.open_gap, self.open_number))
            if (end := _long_line(self.open)) is not None:
                pieces.append(self._piece(self.open[:end].rstrip()))
                self._cut(end, _Cut(0, gap=False))
                continue
            limit = len(self.open) if final else self.open.rfind("\n") + 1
            fence = open_fence(self.open)
            found = self._cut_fence(fence, limit) if fence else self._cut_blocks(limit)
            if not found:
                return pieces
            pieces += found

    def _cut_fence(self, fence: OpenFence, limit: int) -> list[Piece]:
        end = _fence_end(self.open, fence, max(fence.body, self._scanned), limit)
        if end is None:
            self._scanned = limit
            return []
        piece = self._piece(self.open[:end])
        self._cut(end, _Cut(0))
        return [piece]

    def _cut_blocks(self, limit: int) -> list[Piece]:
        """Cut off all blocks and items but the last; [] if there is only one."""
        if limit <= self._parsed:
            return []
        self._parsed = limit
        complete = self.open[:limit]
        cuts = list(self._cuts(complete))
        if len(cuts) < 2:
            return []
        pieces: list[Piece] = []
        for cut, following in pairwise(cuts):
            source = complete[cut.start : following.start]
            if _long_line(source) is not None:
                self._cut(cut.start, cut)
                return pieces
            start = self.start + cut.start
            pieces.append(Piece(start, source.rstrip("\n"), cut.gap, cut.number))
        self._cut(cuts[-1].start, cuts[-1])
        return pieces

    def _cuts(self, complete: str) -> Iterator[_Cut]:
        """Yield where the blocks of `complete` start, lists cut into their items."""
        starts = [0, *(match.end() for match in re.finditer("\n", complete))]
        number: int | None = None
        first = True
        for token in block_tokens(complete):
            is_item = token.type == "list_item_open" and token.level == 1
            if token.nesting < 0 or token.map is None or not (is_item or token.level == 0):
                continue
            if token.type in _LISTS:
                number = _first_number(token, self.open_number if first else None)
                in_list = False
                continue
            start = 0 if first else starts[token.map[0]]
            gap = self.open_gap if first else True
            if is_item:
                if in_list and not first:
                    gap = _ENDS_BLANK.search(complete, max(0, start - 200), start) is not None
                yield _Cut(start, gap, number)
                number = None if number is None else number + 1
                in_list = True
            else:
                yield _Cut(start, gap)
            first = False


def _long_line(text: str) -> int | None:
    """Return where to cut the first line of `text` if it is a paragraph's and very long."""
    if len(text) <= LONG_LINE or not text[0].isalnum() or "\n" in text[:LONG_LINE]:
        return None
    at = LONG_LINE
    while at > LONG_LINE // 2:
        at = text.rfind(" ", 0, at)
        if at < 0:
            return None
        if text[at + 1].isalpha():
            return at + 1
    return None


def _first_number(token: Token, continued: int | None) -> int | None:
    """Return what the first item of a list is numbered with, None for bullets."""
    if token.type == "bullet_list_open":
        return None
    return continued if continued is not None else int(token.attrs.get("start", 1))
