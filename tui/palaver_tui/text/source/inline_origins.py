"""Tracing of inline Markdown: the source characters that each character shown comes from.

markdown-it's inline tokens have no positions. Here its rules are wrapped to record the position
before and after each: the tokens that a rule adds lie between. This is a second parser, for copying
and selecting, so that it does not slow down the one for drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from palaver_tui.text.markdown.formulas import FORMULA
from palaver_tui.text.markdown.inline import shown_text
from palaver_tui.text.markdown.metadata import TRACE, Env

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

_AT = "at"  # in a token's `meta`: its start and end in the inline content
_TEXT = ("text", "text_special")


class Run(NamedTuple):
    """Characters as shown, each with its source characters, from `starts` to `ends`.

    `places` are their indices in the plain text of the leaf with the number `leaf`.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    leaf: int
    places: Sequence[int]


class Marks(NamedTuple):
    """An element's opening and closing marks in the source: `**`, `[` and `](url)`, a fence."""

    opens: int
    opened: int
    closes: int
    closed: int


@cache
def tracing_parser() -> MarkdownIt:
    """Return a parser like that for drawing, but recording, and without joining of texts."""
    from markdown_it import rules_inline

    from palaver_tui.text.markdown.parser import OWN_INLINE, build

    parser = build()
    parser.disable(["fragments_join", "text_join"])
    rules: dict[str, Callable[[StateInline, bool], bool]] = {
        "newline": rules_inline.newline,
        "escape": rules_inline.escape,
        "backticks": rules_inline.backtick,
        "strikethrough": rules_inline.strikethrough.tokenize,
        "emphasis": rules_inline.emphasis.tokenize,
        "link": rules_inline.link,
        "image": rules_inline.image,
        "autolink": rules_inline.autolink,
        "entity": rules_inline.entity,
        **OWN_INLINE,
    }
    for name, rule in rules.items():
        parser.inline.ruler.at(name, _watched(rule))
    return parser


def _watched(rule: Callable[[StateInline, bool], bool]) -> Callable[[StateInline, bool], bool]:
    def watched(state: StateInline, silent: bool) -> bool:
        before, known, pending = state.pos, len(state.tokens), state.pending
        if not rule(state, silent):
            return False
        made = state.tokens[known:]
        if made and pending and made[0].type == "text":
            # Pending literal text: it ends where this rule began.
            start = before - len(pending)
            made[0].meta[_AT] = (start, start + len(made[0].content))
            made = made[1:]
        if made and made[0].markup == "autolink":
            made[1].meta[_AT] = (before + 1, state.pos - 1)
        _place(made, before, state.pos)
        return True

    return watched


def _place(tokens: Sequence[Token], at: int, end: int) -> None:
    """Set the position of tokens without one; together they extend from `at` to `end`."""
    for token in tokens:
        if _AT not in token.meta:
            if token.type == "link_open":
                span = (at, at + 1)
            elif token.type == "text":
                span = (at, at + len(token.content))
            else:
                span = (at, end)
            token.meta[_AT] = span
        at = token.meta[_AT][1]


class InlineTrace:
    """The runs and marks of one leaf's inline tokens; numbers the tokens for the layout."""

    def __init__(self, inline: Token, origins: Sequence[int], leaf: int, runs: list[Run]) -> None:
        """Append to `runs`. `origins` has the source offset of each character of the content."""
        self.marks: list[Marks] = []
        self.formulas: list[tuple[int, int]] = []  # start and end; their marks are shown as text
        self.plain = ""
        self._origins = origins
        self._leaf = leaf
        self._runs = runs
        tokens = inline.children or []
        _place(tokens, 0, len(inline.content))
        inline.children = [self._ready(group) for group in _groups(tokens)]
        self._pair(inline.children)

    def _ready(self, group: list[Token]) -> Token:
        """Return a group as one token with the number of its run."""
        first = group[0]
        if first.nesting:
            return first
        starts: list[int] = []
        ends: list[int] = []
        for token in group:
            self._add(token, starts, ends)
        first.content = "".join(token.content for token in group)
        text = shown_text(first)
        if len(text) != len(starts):  # only if entities give both ends of a line (\r\n)
            starts, ends = [starts[0]] * len(text), [ends[-1]] * len(text)
        first.meta[TRACE] = len(self._runs)
        at = len(self.plain)
        self._runs.append(Run(text, starts, ends, self._leaf, range(at, at + len(text))))
        self.plain += text
        return first

    def _add(self, token: Token, starts: list[int], ends: list[int]) -> None:
        """Append a token's origins: one per character if source and text are the same length."""
        start, end = token.meta[_AT]
        length = len(shown_text(token))
        if token.type == "softbreak":
            end = start + 1  # the next line's indent belongs to no character
        if token.type == "code_inline":
            inside = end - start - 2 * len(token.markup)
            shift = len(token.markup) + (inside - length == 2)
            if inside - length in (0, 2):
                start, end = start + shift, start + shift + length
        if end - start == length and token.type != "image":
            places = [self._origins[place] for place in range(start, end)]
            starts += places
            ends += [place + 1 for place in places]
        elif start < end:
            starts += [self._origins[start]] * length
            ends += [self._origins[end - 1] + 1] * length

    def in_formula(self, place: int) -> bool:
        """Return whether a source offset is inside a formula."""
        return any(start < place < end for start, end in self.formulas)

    def is_formula(self, place: int) -> bool:
        """Return whether a formula begins at a source offset."""
        return any(start == place for start, _end in self.formulas)

    def _pair(self, tokens: Sequence[Token]) -> None:
        """Find the marks of each element."""
        open_tokens: list[Token] = []
        for token in tokens:
            start, end = token.meta[_AT]
            if token.type == FORMULA and start < end:
                self.formulas.append((self._origins[start], self._after(end)))
            elif token.type == "code_inline":
                run = self._runs[token.meta[TRACE]]
                if run.text:
                    self._mark(start, run.starts[0], run.ends[-1], end)
            elif token.nesting > 0:
                open_tokens.append(token)
            elif token.nesting < 0 and open_tokens:
                opened = open_tokens.pop()
                first, last = opened.meta[_AT]
                width = len(token.markup) if token.markup != "autolink" else 0
                # Of the two characters of a `**`, the token's position is the inner one.
                first = min(first, last - width)
                end = max(end, start + width)
                self._mark(first, self._after(last), self._origins[start], end)

    def _mark(self, first: int, opened: int, closes: int, end: int) -> None:
        self.marks.append(Marks(self._origins[first], opened, closes, self._after(end)))

    def _after(self, place: int) -> int:
        """Return the source offset right after the character before `place`."""
        return self._origins[place - 1] + 1


def _groups(tokens: Sequence[Token]) -> list[list[Token]]:
    """Return neighbouring texts as one group, any other token alone, as the drawing parser does."""
    groups: list[list[Token]] = []
    for token in tokens:
        if token.type in _TEXT:
            token.type = "text"
            if groups and groups[-1][0].type == "text":
                groups[-1].append(token)
                continue
        groups.append([token])
    return groups


def inline_token(content: str) -> Token:
    """Parse `content` as the text of a paragraph; return its token with positions."""
    return tracing_parser().parseInline(content, {})[0]


def parse(source: str, env: Env) -> list[Token]:
    """Parse `source`; return its tokens, inline ones with positions."""
    return tracing_parser().parse(source, env)
