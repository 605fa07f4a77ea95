"""Emphasis in Chinese, Japanese and Korean text, where no blanks separate words.

CommonMark distinguishes an opening `**` from a closing one by the blanks and punctuation around it,
as English has them. That fails for `**「重点」**内容`: its marks would be shown as characters. The
CJK-friendly amendment is used (commonmark-spec issue 650, as in markdown-it-cjk-friendly): a run of
`*` or `~` next to a CJK character, but not to a blank, may both open and close. `_` is unchanged.

A second rule beyond CommonMark: `**English:**next` is strong, too. By the specification its second
mark opens, but every author means it to close.

The plugin for markdown-it-py (mdit-py-cjk-friendly 0.3) is not used: it requires a markdown-it-py
before 4, changes every parser of the process, and does not support Korean.
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
# The Hangul characters whose East Asian width is not wide.
_HANGUL = (("\u1100", "\u11ff"), ("\ud7b0", "\ud7ff"))
# Wide symbols in this range are of CJK scripts; all others are emoji.
_SYMBOLS = ("\u2e80", "\ua4cf")
# Variation selectors other than that of emoji. The second one makes quotation marks as wide as CJK
# characters.
_SELECTORS = ("\ufe00", "\ufe0e")
_WIDE_QUOTES = ("‘\ufe01", "’\ufe01", "“\ufe01", "”\ufe01")
# Punctuation that ends words; characters besides blanks that an opening mark may follow.
_ENDS = frozenset(".:;!?…)]}\"'”’»%")
_BEFORE_OPENING = frozenset("([{\"'“‘«")


def is_cjk(character: str) -> bool:
    """Return whether `character` belongs to Chinese, Japanese or Korean text or punctuation."""
    if character < _FIRST_CJK:
        return False
    width = east_asian_width(character)
    if width != "W":
        return width in ("F", "H") or any(low <= character <= high for low, high in _HANGUL)
    is_symbol = category(character) in ("So", "Sk")
    return not is_symbol or _SYMBOLS[0] <= character <= _SYMBOLS[1]


class _State(StateInline):
    """Inline parsing with these rules for which marks may open and close."""

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
        """Return whether the last such mark before `start` can only be an opening one."""
        marks = self.src[start] * 2
        opened = self.src.rfind(marks, 0, start)
        if opened < 0 or isWhiteSpace(ord(self.src[opened + 2])):
            return False
        before = self.src[:opened].rstrip(marks[0])[-1:]
        return not before or isWhiteSpace(ord(before)) or before in _BEFORE_OPENING


class Inlines(ParserInline):
    """The parser of inline Markdown."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Parse `src`; return `tokens` with its tokens appended."""
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens
