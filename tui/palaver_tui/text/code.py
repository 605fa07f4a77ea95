"""Highlighted code, line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from palaver_tui.text.spans import Face, Ink, Line, Span
from palaver_tui.text.visible import expand_tabs
from palaver_tui.text.wrap import clip, hard_wrap, merge, width_of

# Pygments is imported where code is highlighted: the first paint shows none.
if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]
    from pygments.token import _TokenType  # type: ignore[import-untyped]

# Longer code is not highlighted: it would stall the screen, and nobody scrolls through all of it.
MAX_HIGHLIGHTED = 200_000  # characters
CONTINUATION = "↪ "

# Pygments' token types; the first one that contains a token decides.
_INKS: tuple[tuple[str, Ink], ...] = (
    ("Generic.Inserted", "success"),
    ("Generic.Deleted", "error"),
    ("Generic.Subheading", "code_comment"),
    ("Comment", "code_comment"),
    ("Keyword", "code_keyword"),
    ("Operator.Word", "code_keyword"),
    ("String", "code_string"),
    ("Number", "code_number"),
    ("Literal", "code_number"),
    ("Name.Function", "code_name"),
    ("Name.Decorator", "code_name"),
    ("Name.Tag", "code_name"),
    ("Name.Attribute", "code_type"),
    ("Name.Class", "code_type"),
    ("Name.Builtin", "code_type"),
    ("Name.Namespace", "code_type"),
    ("Name.Exception", "code_type"),
)


@lru_cache(maxsize=256)
def _face(token: _TokenType) -> Face:
    from pygments.token import string_to_tokentype

    for kind, ink in _INKS:
        if token in string_to_tokentype(kind):
            return Face(ink, italic=ink == "code_comment", paper="code")
    return Face("code", paper="code")


# Idle lexers, for reuse: creating one takes up to 0.3 ms. Code is highlighted in several threads,
# and some lexers have state while they work, so a lexer in use is taken out of this pool.
_IDLE: defaultdict[type[Lexer], list[Lexer]] = defaultdict(list)


@lru_cache(maxsize=256)
def lexer_class(language: str) -> type[Lexer] | None:
    """Return the lexer class for a fence's language; None if it is unknown or empty."""
    from pygments.lexers import find_lexer_class_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        found: type[Lexer] | None = find_lexer_class_by_name(language.lower()) if language else None
    except ClassNotFound:
        return None
    return found


def highlight(source: str, language: str) -> list[tuple[Span, ...]]:
    """Return the lines of `source`, which may end in a line feed, as coloured spans."""
    tokens = _tokens(source, language) if len(source) <= MAX_HIGHLIGHTED else None
    if tokens is None:
        return [(Span(expand_tabs(line), Face("code", paper="code")),) for line in rows_of(source)]
    lines: list[list[Span]] = [[]]
    for token, text in tokens:
        face = _face(token)
        first, *rest = text.split("\n")
        lines[-1].append(Span(first, face))
        lines.extend([Span(piece, face)] for piece in rest)
    if len(lines) > 1 and not any(span.text for span in lines[-1]):
        lines.pop()
    return [_expanded(merge(line)) for line in lines]


def _tokens(source: str, language: str) -> list[tuple[_TokenType, str]] | None:
    """Return the lexer's tokens of `source`; None if there is no lexer, or it fails."""
    made_by = lexer_class(language)
    if made_by is None:
        return None
    try:
        lexer = _IDLE[made_by].pop()
    except IndexError:
        lexer = made_by(stripnl=False, ensurenl=False)
    try:
        tokens = list(lexer.get_tokens(source))
    except Exception:  # noqa: BLE001  some of Pygments' hundreds of lexers raise on odd source
        return None
    _IDLE[made_by].append(lexer)
    return tokens


def rows_of(source: str) -> list[str]:
    """Return the lines of `source`, which may end in a line feed; at least one."""
    rows = source.split("\n")
    if len(rows) > 1 and not rows[-1]:
        rows.pop()
    return rows


def _expanded(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return `spans` with tabs expanded; the column is counted across spans."""
    if not any("\t" in span.text for span in spans):
        return spans
    text, result = "", []
    for span in spans:
        before = len(expand_tabs(text))
        text += span.text
        result.append(Span(expand_tabs(text)[before:], span.face))
    return tuple(result)


def tag_line(language: str, width: int) -> Line:
    """Return the head line of a code panel: its language at the right, clipped to `width`."""
    face = Face("code_tag", paper="code")
    label: tuple[Span, ...] = (Span(f" {language} " if language else " ", face),)
    if width_of(label[0].text) > max(1, width):
        # The ellipsis is its own span, so that the first one is a part of the traced tag.
        label = (Span(f" {clip(language, max(0, width - 3), '')}", face), Span("… ", face))
    blank = width - sum(width_of(span.text) for span in label)
    return Line((Span(" " * max(0, blank), face), *label), "code")


def room_for_code(width: int) -> int:
    """Return the cells for code on each line of a row that is wrapped."""
    return _inner(width) - len(CONTINUATION)


def _inner(width: int) -> int:
    return max(4, width - 2)


def code_row(spans: Iterable[Span], *, first: bool) -> Line:
    """Return a line of the panel; one that is not the `first` of its row gets a mark."""
    margin = Span(" ", Face("code", paper="code"))
    mark = () if first else (Span(CONTINUATION, Face("code_comment", paper="code")),)
    return Line((margin, *mark, *spans), "code")


def code_lines(rows: list[tuple[Span, ...]], width: int) -> list[Line]:
    """Lay out highlighted rows on the panel; long ones continue on lines with a mark."""
    lines = []
    for row in rows:
        if sum(width_of(span.text) for span in row) <= _inner(width):
            lines.append(code_row(row, first=True))
            continue
        pieces = hard_wrap(row, room_for_code(width))
        lines += [code_row(piece, first=not number) for number, piece in enumerate(pieces)]
    return lines
