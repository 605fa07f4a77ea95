"""Markdown as tokens of markdown-it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from palaver_tui.text.markdown.metadata import LEVEL, Env

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# Blocks after which a gap is needed, even in a tight list: else the next one looks part of them.
PANELS = frozenset({"fence", "code_block", "table_open"})


@cache
def _parser(*, inline: bool) -> MarkdownIt:
    # Imported here, as the first paint shows no text and must not wait for it.
    from palaver_tui.text.markdown.parser import build

    return build() if inline else build().disable(["inline", "text_join"])


def tokens_of(source: str, env: Env | None = None, level: int = 0) -> list[Token]:
    """Return all tokens of `source`, inline ones included.

    `env` has link definitions; `level` is the number of levels of lists and quotes around it.
    """
    return _parser(inline=True).parse(source, {**(env or {}), LEVEL: level})


def block_tokens(source: str, level: int = 0) -> list[Token]:
    """Return the block structure of `source`, with line maps and unparsed inline content."""
    return _parser(inline=False).parse(source, {LEVEL: level})


def inline_tokens(content: str) -> list[Token]:
    """Return the inline tokens of `content`, the text of a paragraph."""
    return _parser(inline=True).parseInline(content, {})[0].children or []


def references(source: str) -> dict[str, Any]:
    """Return the link definitions in `source`."""
    env: dict[str, Any] = {}
    _parser(inline=False).parse(source, env)
    found = env.get("references", {})
    return dict(found) if isinstance(found, dict) else {}
