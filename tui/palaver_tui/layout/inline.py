"""Inline Markdown, as markdown-it's tokens, to spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from palaver_tui.layout.faces import Face, Ink, Span

if TYPE_CHECKING:
    from markdown_it.token import Token

# Only these may be opened by a click or a key: a model must not hand us `file:` or worse.
OPENABLE = ("http://", "https://", "mailto:")


@dataclass(frozen=True)
class _State:
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


def inline_spans(tokens: Sequence[Token], ink: Ink = "text", bold: bool = False) -> list[Span]:
    """Return the children of an inline token as spans; a line feed is a hard break."""
    stack = [_State(ink=ink, bold=bold)]
    spans: list[Span] = []
    for token in tokens:
        state = stack[-1]
        if token.nesting > 0:
            stack.append(_opened(state, token))
        elif token.nesting < 0:
            if len(stack) > 1:
                stack.pop()
        elif token.type == "code_inline":
            face = state.face()._replace(ink="link" if state.link else "code", paper="inline_code")
            spans.append(Span(token.content.replace("\n", " "), face))
        elif token.type == "softbreak":
            spans.append(Span(" ", state.face()))
        elif token.type == "hardbreak":
            spans.append(Span("\n", state.face()))
        elif token.type == "image":
            source = str(token.attrs.get("src", ""))
            target = source if source.startswith(OPENABLE) else ""
            face = Face("link", underline=True, link=target)
            spans.append(Span(f"[picture: {token.content or source}]", face))
        else:
            spans.append(Span(token.content.replace("\t", " "), state.face()))
    return spans
