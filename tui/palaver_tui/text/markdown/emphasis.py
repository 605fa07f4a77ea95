"""Emphasis where words are not parted by blanks.

CommonMark tells an opening `**` from a closing one by the blanks and punctuation around it, as
English has them. In Chinese, Japanese and Korean `**「重点」**内容` has neither, and the marks stay
where they are. The amendment for these languages (CJK-friendly, commonmark-spec issue 650, as
markdown-it-cjk-friendly has it) says: beside a CJK character a run of `*` or `~` that no blank is
next to may both open and close. `_` is not changed by it.

One rule more is not CommonMark's: `**English:**next` is strong, too. There the second mark is one
that opens by the letter of the specification, but every writer means it to close.

The plugin for markdown-it-py (mdit-py-cjk-friendly 0.3) wants a markdown-it-py before 4, changes
every parser of the process, and leaves out Korean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category, east_asian_width

from markdown_it.common.utils import isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.utils import EnvType

_FIRST_CJK = "\u1100"
# Of Hangul's own characters those that are not wide by themselves.
_HANGUL = (("\u1100", "\u11ff"), ("\ud7b0", "\ud7ff"))
# Wide symbols between these are of CJK scripts; all others are emoji.
_SYMBOLS = ("\u2e80", "\ua4cf")
# What says how the character before it is drawn, but not that it is an emoji. The second one makes
# quotation marks as wide as CJK characters.
_SELECTORS = ("\ufe00", "\ufe0e")
_WIDE_QUOTES = ("‘\ufe01", "’\ufe01", "“\ufe01", "”\ufe01")
# Punctuation that ends words, and what an opening mark may stand behind besides blanks.
_ENDS = frozenset(".:;!?…)]}\"'”’»%")
_BEFORE_OPENING = frozenset("([{\"'“‘«")


def is_cjk(character: str) -> bool:
    """Say whether `character` is one of Chinese, Japanese or Korean text, their punctuation too."""
    if character < _FIRST_CJK:
        return False
    width = east_asian_width(character)
    if width != "W":
        return width in ("F", "H") or any(low <= character <= high for low, high in _HANGUL)
    is_symbol = category(character) in ("So", "Sk")
    return not is_symbol or _SYMBOLS[0] <= character <= _SYMBOLS[1]


class _State(StateInline):
    """Inline parsing that knows which marks may open and close."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803
        scanned = super().scanDelims(start, canSplitWord)
        if not canSplitWord or start == 0 or (scanned.can_open and scanned.can_close):
            return scanned
        after = start + scanned.length
        if after >= self.posMax:
            return scanned
        before, following = self.src[start - 1], self.src[after]
        if isWhiteSpace(ord(before)) or isWhiteSpace(ord(following)):
            return scanned
        if is_cjk(following) or self._follows_cjk(start):
            return Scanned(True, True, scanned.length)
        if scanned.can_open and scanned.length > 1 and before in _ENDS and self._is_open(start):
            return Scanned(True, True, scanned.length)
        return scanned

    def _follows_cjk(self, start: int) -> bool:
        before = self.src[start - 1]
        if _SELECTORS[0] <= before <= _SELECTORS[1] and start > 1:
            return is_cjk(self.src[start - 2]) or self.src[start - 2 : start] in _WIDE_QUOTES
        return is_cjk(before)

    def _is_open(self, start: int) -> bool:
        """Say whether the last such mark before `start` can only have been meant to open."""
        marks = self.src[start] * 2
        opened = self.src.rfind(marks, 0, start)
        if opened < 0 or isWhiteSpace(ord(self.src[opened + 2])):
            return False
        before = self.src[:opened].rstrip(marks[0])[-1:]
        return not before or isWhiteSpace(ord(before)) or before in _BEFORE_OPENING


class Inlines(ParserInline):
    """The parser of the text in a block."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Parse `src`; return `tokens` with what it holds added."""
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens
