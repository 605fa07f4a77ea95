"""Markdown that arrives in pieces, cut into blocks that never change again.

Only complete lines decide: what a line means is known when its line feed is there. Of the blocks
that the complete lines give, all but the last are finished, and of a list all items but the last.
They are cut off the front, so that what is parsed again is one open block or item, however long
the answer has become. And whether one more line belongs to the open block is found from that line
and what the block is, not from the whole block: a paragraph of a thousand lines costs no more than
one of ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from palaver_tui.text.markdown.formulas import OpenFormula, open_formula
from palaver_tui.text.markdown.tokens import PANELS, block_tokens

if TYPE_CHECKING:
    from markdown_it.token import Token

# What the open text is, as far as its complete lines tell. `other`: nothing that grows long.
Shape = Literal["", "paragraph", "table", "item", "quote", "code", "line", "other"]
_SHAPES: dict[str, Shape] = {
    "paragraph_open": "paragraph",
    "table_open": "table",
    "bullet_list_open": "item",
    "ordered_list_open": "item",
    "blockquote_open": "quote",
    "code_block": "code",
    "heading_open": "line",
    "hr": "line",
}
# Blocks that a blank line ends. A list and indented code may go on after one.
_ENDED_BY_BLANK = ("paragraph", "table", "quote")
# Text of which the first characters tell what it is, even without a line feed.
BEGUN = 200

# Its marks are taken whole, not tried one by one: a model gone astray may say them for ever.
_FENCE = re.compile(r"( {0,3})(`{3,}+|~{3,}+)([^\n]*+)\n")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")
_ENDS_BLANK = re.compile(r"\n[ \t]*\n\Z")
_ITEM = re.compile(r"( {0,3})([-+*]|\d{1,9}[.)])( {1,4})(?=[^ \t\n])")
_QUOTE = re.compile(r" {0,3}>")
_BLANK_LINE = re.compile(r"^[ \t]*\n", re.MULTILINE)
# What is taken off a line of indented code; a blank line may have less.
INDENTED = re.compile(r"^(?: {4}| {0,3}\t| {1,3}$)", re.MULTILINE)
# What may, when more of it is there, be the definition of a link: a label, then where it leads,
# then nothing or the beginning of a title (CommonMark 4.7). A label has at most 999 characters.
_LABEL = r" {0,3}\[(?:[^\[\]\\]|\\.){0,999}"
_MAY_DEFINE = re.compile(
    rf"{_LABEL}(?:\\?\Z|\](?:\Z|:\s*(?:\Z|(?:<[^<>\n]*(?:\Z|>)|[^\s<]\S*)"
    r"(?:[ \t]*(?:\Z|\n)|[ \t]+[\"'(]))))",
    re.DOTALL,
)
# A line that is one as a whole. Only a title could still follow, in the next line.
_DEFINES = re.compile(rf"{_LABEL}\]:[ \t]*\S.*\n(?=[ \t]*[^ \t\n\"'(])")
# What may be the last block in an item; an item that holds nothing is one itself.
_LAST = PANELS | {"paragraph_open", "heading_open", "hr", "list_item_open"}
_LISTS = ("bullet_list_open", "ordered_list_open")


class SourceBlock(NamedTuple):
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


_ANEW = _Cut(0)


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


def item_indent(text: str) -> int:
    """Return how far the text of the item that `text` begins with is set in; 0 if unusual."""
    match = _ITEM.match(text)
    return match.end() if match else 0


def item_number(text: str) -> int | None:
    """Return the number that the item `text` begins with; None for a bullet."""
    match = _ITEM.match(text)
    return int(match[2][:-1]) if match and match[2][:-1] else None


def _fence_end(text: str, fence: OpenFence, start: int, limit: int) -> int | None:
    """Return the end of the closing line between the line start `start` and `limit`."""
    mark, least = re.escape(fence.marks[0]), len(fence.marks)
    closing = re.compile(rf"^ {{0,3}}{mark}{{{least},}}[ \t]*(?:\n|\Z)", re.MULTILINE)
    match = closing.search(text, start, limit)
    return match.end() if match else None


class Splitter:
    """Takes text as it comes, gives finished pieces, and keeps what is still open.

    `tight`: the text is what an item of a list holds, where a list follows a paragraph without a
    gap unless a blank line is between them. `level`: so many levels are around it.
    """

    def __init__(self, *, tight: bool = False, level: int = 0) -> None:
        self.open = ""
        self.start = 0  # where the open text begins in the whole text
        self.open_gap = False  # does a blank line come before the open text?
        self.open_number: int | None = None
        self._tight = tight
        self._level = level
        self._scanned = 0  # how much of an open fence was searched for its end
        self._parsed = 0  # how much of the open text was parsed and is one block
        self._shape: Shape = ""

    @property
    def shape(self) -> Shape:
        """What the open text is; "" while too little of it is there to tell."""
        undecided = self._shape in ("", "other")
        if undecided and len(self.open) >= BEGUN and "\n" not in self.open:
            self._shape = _shape(self._blocks(self.open[:BEGUN]), self.open)
        return self._shape

    def feed(self, text: str) -> list[SourceBlock]:
        """Take `text`, return the pieces that are finished by it."""
        self.open += text
        return self._advance(final=False)

    def finish(self) -> list[SourceBlock]:
        """Return what is left, finished."""
        pieces = self._advance(final=True)
        if self.open.strip():
            pieces.append(self._piece(self.open))
        self._cut(len(self.open), _Cut(0))
        return pieces

    def _blocks(self, source: str) -> list[Token]:
        return block_tokens(source, self._level)

    def _piece(self, source: str) -> SourceBlock:
        return SourceBlock(self.start, source.rstrip("\n"), self.open_gap, self.open_number)

    def _cut(self, end: int, after: _Cut) -> None:
        """Drop the text up to `end`; `after` describes what comes next."""
        self.open = self.open[end:]
        self.start += end
        self._scanned = self._parsed = 0
        self._shape = ""
        self.open_gap, self.open_number = after.gap, after.number

    def _advance(self, final: bool) -> list[SourceBlock]:
        pieces: list[SourceBlock] = []
        while True:
            if blank := _BLANK_LINES.match(self.open):
                self._cut(blank.end(), _Cut(0, self.open_gap, self.open_number))
            limit = len(self.open) if final else self.open.rfind("\n") + 1
            found = self._cut_first(limit)
            if not found:
                return pieces
            pieces += found

    def _cut_first(self, limit: int) -> list[SourceBlock]:
        """Cut off what is finished of the complete lines, up to `limit`."""
        if fence := open_fence(self.open):
            return self._cut_fence(fence, limit)
        if (formula := open_formula(self.open)) and formula.body <= limit:
            return self._cut_formula(formula, limit)
        return self._cut_blocks(limit)

    def _cut_fence(self, fence: OpenFence, limit: int) -> list[SourceBlock]:
        end = _fence_end(self.open, fence, max(fence.body, self._scanned), limit)
        if end is None:
            self._scanned = limit
            return []
        return self._close(end)

    def _cut_formula(self, formula: OpenFormula, limit: int) -> list[SourceBlock]:
        at = max(formula.body, self._scanned)
        while at < limit:
            end = self.open.find("\n", at, limit) + 1 or limit
            line = self.open[at:end]
            if not line.strip():
                return self._close(at)
            if formula.is_closed_by(line):
                return self._close(end)
            at = end
        self._scanned = max(self._scanned, at)
        return []

    def _close(self, end: int, after: _Cut = _ANEW) -> list[SourceBlock]:
        """Finish the open block at `end`; `after` describes what comes next."""
        piece = self._piece(self.open[:end])
        self._cut(end, after)
        return [piece]

    def _cut_blocks(self, limit: int) -> list[SourceBlock]:
        """Cut off all blocks and items but the last, and that too if it is complete."""
        if (definition := _DEFINES.match(self.open)) and not self._blocks(definition[0]):
            return self._close(definition.end(), _Cut(0, self.open_gap))
        if self._parsed and self._shape in _ENDED_BY_BLANK:
            blank = _BLANK_LINE.search(self.open, self._parsed, limit)
            if blank is not None and self._goes_on(blank.start()):
                return self._close(blank.start())
        if limit > self._parsed:
            goes_on = self._parsed and self._goes_on(limit)
            self._parsed = limit
            if not goes_on and (pieces := self._parse(limit)):
                return pieces
        after_blank = _ENDS_BLANK.search(self.open, max(0, limit - 200), limit) is not None
        # A letter at the left, after a blank line, starts a paragraph and ends list and code.
        if after_blank and self._shape in ("item", "code") and self.open[limit:][:1].isalpha():
            return self._close(limit)
        if self._shape == "line" or (after_blank and self._shape in _ENDED_BY_BLANK):
            return self._close(limit)
        return []

    def _parse(self, limit: int) -> list[SourceBlock]:
        """Parse all complete lines; return all blocks and items but the last."""
        complete = self.open[:limit]
        tokens = self._blocks(complete)
        cuts = list(self._cuts(complete, tokens))
        if len(cuts) < 2:
            self._shape = _shape(tokens, self.open) if cuts else ""
            return []
        pieces: list[SourceBlock] = []
        for cut, following in pairwise(cuts):
            source = complete[cut.start : following.start]
            start = self.start + cut.start
            pieces.append(SourceBlock(start, source.rstrip("\n"), cut.gap, cut.number))
        self._cut(cuts[-1].start, cuts[-1])
        return pieces

    def _goes_on(self, limit: int) -> bool:
        """Say whether the lines since the last parse are surely more of the same block."""
        if limit == self._parsed:
            return True
        lines = self.open[self._parsed : limit].split("\n")[:-1]
        match self._shape:
            case "item":
                indent = " " * item_indent(self.open)
                return all(line.startswith(indent) or not line.strip() for line in lines)
            case "quote":
                return all(_QUOTE.match(line) for line in lines)
            case "code":
                return all(INDENTED.match(line) or not line for line in lines)
            case "paragraph":
                # One line more of context: it may turn out to be the head of a table.
                before = self.open.rfind("\n", 0, self._parsed - 1) + 1
                context = f"x\n{self.open[before:limit]}"
            case "table":
                head = self.open.find("\n", self.open.find("\n") + 1) + 1
                context = self.open[:head] + self.open[self._parsed : limit]
            case _:
                return False
        first = self._blocks(context)[0]
        of_one = _SHAPES.get(first.type) == self._shape
        return of_one and first.map is not None and first.map[1] == context.count("\n")

    def _cuts(self, complete: str, tokens: list[Token]) -> Iterator[_Cut]:
        """Yield where the blocks of `complete` start, lists cut into their items."""
        starts = [0, *(match.end() for match in re.finditer("\n", complete))]
        number: int | None = None
        first = True
        before = ""  # the kind of the block before
        begun = 0  # the token that the item or block before begins with
        for index, token in enumerate(tokens):
            is_item = token.type == "list_item_open" and token.level == 1
            if token.nesting < 0 or token.map is None or not (is_item or token.level == 0):
                continue
            if token.type in _LISTS:
                number = _first_number(token, self.open_number if first else None)
                in_list = self._tight and before == "paragraph_open"
                continue
            start = 0 if first else starts[token.map[0]]
            gap = self.open_gap if first else True
            if is_item:
                if in_list and not first and not _set_apart(tokens[begun:index]):
                    gap = _ENDS_BLANK.search(complete, max(0, start - 200), start) is not None
                yield _Cut(start, gap, number)
                number = None if number is None else number + 1
                in_list = True
            else:
                yield _Cut(start, gap)
            before, begun = token.type, index
            first = False


def _set_apart(item: Sequence[Token]) -> bool:
    """Say whether a gap follows an item also in a tight list: a panel ends it."""
    return next((token.type for token in reversed(item) if token.type in _LAST), "") in PANELS


def _shape(tokens: list[Token], text: str) -> Shape:
    """Return what the one block is that `text` begins with."""
    # A definition of a link is no part of the paragraph it stands before.
    if not tokens or _MAY_DEFINE.match(text):
        return "other"
    found = _SHAPES.get(tokens[0].type, "other")
    return "other" if found == "item" and not item_indent(text) else found


def _first_number(token: Token, continued: int | None) -> int | None:
    """Return what the first item of a list is numbered with, None for bullets."""
    if token.type == "bullet_list_open":
        return None
    return continued if continued is not None else int(token.attrs.get("start", 1))
