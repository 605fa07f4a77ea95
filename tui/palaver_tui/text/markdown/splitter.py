"""Splitter of streamed Markdown into finished blocks, which never change again.

Only complete lines are parsed: a line's meaning is known when its line feed has arrived. All of
their blocks but the last are finished, and all items of a list but the last. They are cut off, so
that only one open block or item is parsed again, however long the answer is. Whether another line
belongs to the open block is decided by that line and the block's kind, not by parsing the whole
block: a line more costs the same in a paragraph of a thousand lines as in one of ten.
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

# The kind of the open text, as far as its complete lines tell. `other`: nothing that grows long.
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
# Blocks that a blank line ends. A list and indented code may continue after one.
_ENDED_BY_BLANK = ("paragraph", "table", "quote")
# Characters after which the kind of a text is known, even without a line feed.
BEGUN = 200

# Possessive, so that it does not backtrack: a model in a loop may write marks without end.
_FENCE = re.compile(r"( {0,3})(`{3,}+|~{3,}+)([^\n]*+)\n")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")
_ENDS_BLANK = re.compile(r"\n[ \t]*\n\Z")
_ITEM = re.compile(r"( {0,3})([-+*]|\d{1,9}[.)])( {1,4})(?=[^ \t\n])")
_QUOTE = re.compile(r" {0,3}>")
_BLANK_LINE = re.compile(r"^[ \t]*\n", re.MULTILINE)
# The indent that is removed from a line of indented code; a blank line may have less.
INDENTED = re.compile(r"^(?: {4}| {0,3}\t| {1,3}$)", re.MULTILINE)
# The beginning of what may become a link definition: a label, then the destination, then nothing or
# the beginning of a title (CommonMark 4.7). A label has at most 999 characters.
_LABEL = r" {0,3}\[(?:[^\[\]\\]|\\.){0,999}"
_MAY_DEFINE = re.compile(
    rf"{_LABEL}(?:\\?\Z|\](?:\Z|:\s*(?:\Z|(?:<[^<>\n]*(?:\Z|>)|[^\s<]\S*)"
    r"(?:[ \t]*(?:\Z|\n)|[ \t]+[\"'(]))))",
    re.DOTALL,
)
# A complete definition in one line: the next line cannot be its title.
_DEFINES = re.compile(rf"{_LABEL}\]:[ \t]*\S.*\n(?=[ \t]*[^ \t\n\"'(])")
# Tokens of what may be the last block in an item; an empty item is one itself.
_LAST = PANELS | {"paragraph_open", "heading_open", "hr", "list_item_open"}
_LISTS = ("bullet_list_open", "ordered_list_open")


class SourceBlock(NamedTuple):
    """One finished block, or item of a list, as source.

    `start` is its offset in the whole text. `gap`: a blank line comes before it. `number` is that
    of an ordered item.
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
    body: int  # offset of its first line of code in the open text


class _Cut(NamedTuple):
    """The start of a block or an item in the open text; `gap`, `number` as of `SourceBlock`."""

    start: int
    gap: bool = True
    number: int | None = None


_ANEW = _Cut(0)


def open_fence(text: str) -> OpenFence | None:
    """Return the fence that `text` begins with, if its opening line is complete, else None."""
    match = _FENCE.match(text)
    if match is None:
        return None
    indent, marks, info = match.groups()
    if marks[0] == "`" and "`" in info:
        return None  # inline code, not a fence (CommonMark 4.5)
    words = info.split()
    return OpenFence(len(indent), marks, words[0] if words else "", match.end())


def item_indent(text: str) -> int:
    """Return the indent of the text in the item that `text` begins with; 0 if it is unusual."""
    match = _ITEM.match(text)
    return match.end() if match else 0


def item_number(text: str) -> int | None:
    """Return the number of the item that `text` begins with; None for a bullet."""
    match = _ITEM.match(text)
    return int(match[2][:-1]) if match and match[2][:-1] else None


def _fence_end(text: str, fence: OpenFence, start: int, limit: int) -> int | None:
    """Return the end of the closing line between `start`, a line's start, and `limit`."""
    mark, least = re.escape(fence.marks[0]), len(fence.marks)
    closing = re.compile(rf"^ {{0,3}}{mark}{{{least},}}[ \t]*(?:\n|\Z)", re.MULTILINE)
    match = closing.search(text, start, limit)
    return match.end() if match else None


class Splitter:
    """Takes streamed text and returns finished blocks; keeps the open one.

    `tight`: the text is in an item, where a list follows a paragraph without a gap unless there is
    a blank line between them. `level` is the number of levels around it.
    """

    def __init__(self, *, tight: bool = False, level: int = 0) -> None:
        self.open = ""
        self.start = 0  # offset of the open text in the whole text
        self.open_gap = False  # a blank line comes before the open text
        self.open_number: int | None = None
        self._tight = tight
        self._level = level
        self._scanned = 0  # characters of an open fence that were searched for its end
        self._parsed = 0  # characters of the open text that were parsed and are one block
        self._shape: Shape = ""

    @property
    def shape(self) -> Shape:
        """The kind of the open text; "" while too little of it has arrived to tell."""
        undecided = self._shape in ("", "other")
        if undecided and len(self.open) >= BEGUN and "\n" not in self.open:
            self._shape = _shape(self._blocks(self.open[:BEGUN]), self.open)
        return self._shape

    def feed(self, text: str) -> list[SourceBlock]:
        """Append `text`; return the blocks that it finishes."""
        self.open += text
        return self._advance(final=False)

    def finish(self) -> list[SourceBlock]:
        """End the text; return the blocks that are left."""
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
        """Drop the open text up to `end`; `after` describes what comes next."""
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
        """Cut off and return the finished blocks in the complete lines, up to `limit`."""
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
        """Cut off all blocks and items but the last, and the last one if it is finished."""
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
        # A letter in the first column after a blank line begins a paragraph: list and code end.
        if after_blank and self._shape in ("item", "code") and self.open[limit:][:1].isalpha():
            return self._close(limit)
        if self._shape == "line" or (after_blank and self._shape in _ENDED_BY_BLANK):
            return self._close(limit)
        return []

    def _parse(self, limit: int) -> list[SourceBlock]:
        """Parse all complete lines; cut off and return all blocks and items but the last."""
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
        """Return whether the lines since the last parse certainly belong to the same block."""
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
                # With the line before: it may become the head of a table.
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
        """Yield the starts of the blocks in `complete`; of a list, those of its items."""
        starts = [0, *(match.end() for match in re.finditer("\n", complete))]
        number: int | None = None
        first = True
        before = ""  # the kind of the block before
        begun = 0  # index of the first token of the item or block before
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
    """Return whether a gap follows an item even in a tight list: a panel ends it."""
    return next((token.type for token in reversed(item) if token.type in _LAST), "") in PANELS


def _shape(tokens: list[Token], text: str) -> Shape:
    """Return the kind of the one block that `text` begins with."""
    # A link definition is no part of the paragraph after it.
    if not tokens or _MAY_DEFINE.match(text):
        return "other"
    found = _SHAPES.get(tokens[0].type, "other")
    return "other" if found == "item" and not item_indent(text) else found


def _first_number(token: Token, continued: int | None) -> int | None:
    """Return the number of a list's first item, None for bullets."""
    if token.type == "bullet_list_open":
        return None
    return continued if continued is not None else int(token.attrs.get("start", 1))
