"""Inline tokens of markdown-it as spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from palaver_tui.text.markdown.formulas import FORMULA
from palaver_tui.text.markdown.metadata import TRACE
from palaver_tui.text.spans import Face, Ink, Span
from palaver_tui.text.visible import visible, visible_line

if TYPE_CHECKING:
    from markdown_it.token import Token

# Only these schemes can be opened by a click or a key: a model must not make us open `file:`.
OPENABLE = ("http://", "https://", "mailto:")
FORMULA_FACE = Face("code")


class _State(msgspec.Struct, frozen=True):
    ink: Ink = "text"
    bold: bool = False
    italic: bool = False
    strike: bool = False
    link: str = ""

    def face(self) -> Face:
        if self.link:
            return Face("link", self.bold, self.italic, True, self.strike, "", self.link)
        return Face(self.ink, self.bold, self.italic, False, self.strike)


def _opened(state: _State, token: Token) -> _State:
    if token.type == "strong_open":
        return replace(state, bold=True)
    if token.type == "em_open":
        return replace(state, italic=True)
    if token.type == "s_open":
        return replace(state, strike=True)
    if token.type == "link_open":
        target = str(token.attrs.get("href", ""))
        return replace(state, link=target if target.startswith(OPENABLE) else "")
    return state


def shown_text(token: Token) -> str:
    """Return the text shown for a token without children; a line feed is a hard break.

    Made visible once more: a character reference such as `&#13;` may produce a control character.
    """
    match token.type:
        case "hardbreak":
            return "\n"
        case "softbreak":
            return " "
        case "image":
            return f"[picture: {token.content or token.attrs.get('src', '')}]"
        case _:
            content = token.content
            if content.isprintable():
                return content
            if token.type == FORMULA:  # a displayed one has line breaks
                return visible(content).replace("\t", " ")
            return visible_line(content, newline=" ")


def inline_spans(tokens: Sequence[Token], ink: Ink = "text", bold: bool = False) -> list[Span]:
    """Return `tokens`, the children of an inline token, as spans; a line feed is a hard break."""
    stack = [_State(ink=ink, bold=bold)]
    spans: list[Span] = []
    for token in tokens:
        state = stack[-1]
        if token.nesting > 0:
            stack.append(_opened(state, token))
        elif token.nesting < 0:
            if len(stack) > 1:
                stack.pop()
        else:
            face = _face(token, state)
            if token.meta:
                face = face._replace(trace=token.meta.get(TRACE, 0))
            spans.append(Span(shown_text(token), face))
    return spans


def _face(token: Token, state: _State) -> Face:
    if token.type == "code_inline":
        return state.face()._replace(ink="link" if state.link else "code", paper="inline_code")
    if token.type == FORMULA:
        return state.face()._replace(ink="link" if state.link else FORMULA_FACE.ink)
    if token.type == "image":
        source = str(token.attrs.get("src", ""))
        return Face("link", underline=True, link=source if source.startswith(OPENABLE) else "")
    return state.face()
