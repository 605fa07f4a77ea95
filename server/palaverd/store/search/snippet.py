"""Show the place of a text where a query was found: a line of it, with the words marked. Pure."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from palaver.wire.search import Span
from palaverd.store.search.query import Query, Term
from palaverd.store.search.words import WITHOUT_SPACES

BEFORE: Final = 40  # characters before the first mark
LENGTH: Final = 160  # of the whole; a line or two of a terminal
_BLANKS: Final = re.compile(r"\s+")
# A word goes on with these, as in the index.
_IN_WORD: Final = rf"[^\W_{WITHOUT_SPACES}]"
_NOTHING: Final = re.compile(r"(?!)")


def snippet(text: str, query: Query) -> list[Span]:
    """Return a line of `text` around the place with the most of the words, as spans.

    Marked are the words of the query that are in it. Without any (they can be divided by what
    Unicode knows and SQLite does not), it is the beginning.
    """
    text = _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip()
    found = _found(text, query)
    start = _best_start(text, found)
    end = min(len(text), start + LENGTH)
    if end < len(text) and (blank := text.rfind(" ", start + LENGTH // 2, end)) != -1:
        end = blank
    spans = [Span("…")] if start else []
    at = start
    for first, last in found:
        if first >= at and last <= end:
            spans += [Span(text[at:first])] * (first > at)
            spans.append(Span(text[first:last], match=True))
            at = last
    spans += [Span(text[at:end])] * (end > at)
    spans += [Span("…")] * (end < len(text))
    return spans


def _found(text: str, query: Query) -> list[tuple[int, int]]:
    """Return the places of the wanted words, in order; none overlaps another."""
    folded = _folded(text)
    places = sorted(
        (match.start(), -_with_marks(text, match.end()))
        for term in query.wanted
        for match in _pattern(term).finditer(folded)
    )
    apart: list[tuple[int, int]] = []
    for first, last in places:
        if not apart or first >= apart[-1][1]:
            apart.append((first, -last))
    return apart


def _with_marks(text: str, end: int) -> int:
    """Return the end of a word with the marks that follow it, such as vowels of Hindi."""
    while end < len(text) and unicodedata.category(text[end])[0] == "M":
        end += 1
    return end


def _best_start(text: str, found: Sequence[tuple[int, int]]) -> int:
    """Return where to begin, so that the most different words are shown."""
    if not found:
        return 0
    starts = [first for first, _ in found]
    words = [text[first:last].casefold() for first, last in found]

    def worth(at: int) -> int:
        seen = bisect_right(starts, starts[at] + LENGTH - BEFORE - 20)
        return len(set(words[at:seen]))

    # `max` returns the first of the best; a long text is looked at up to its thousandth word.
    first = starts[max(range(min(len(found), 1000)), key=worth)]
    if first <= BEFORE:
        return 0
    blank = text.find(" ", first - BEFORE, first)
    return first - BEFORE if blank == -1 else blank + 1


@lru_cache(maxsize=64)
def _pattern(term: Term) -> re.Pattern[str]:
    """Return what finds a term in a folded text."""
    text = _folded(unicodedata.normalize("NFC", term.text))
    words = [word for word in re.split(r"[\W_]+", text) if word]
    if not words:
        return _NOTHING
    begin = "" if _in_run(words[0][0]) else rf"(?<!{_IN_WORD})"
    end = "" if _in_run(words[-1][-1]) else rf"{_IN_WORD}*" if term.prefix else rf"(?!{_IN_WORD})"
    return re.compile(begin + r"[\W_]+".join(map(re.escape, words)) + end)


def _in_run(character: str) -> bool:
    """Return whether words of this character's script have nothing between them."""
    return re.match(f"[{WITHOUT_SPACES}]", character) is not None


def _folded(text: str) -> str:
    """Return `text` in lower case and without accents, each character in its place."""
    if text.isascii():
        return text.lower()
    return "".join(map(_fold, text))


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    plain = [
        one.lower()
        for one in unicodedata.normalize("NFKD", character)
        if unicodedata.category(one) != "Mn"
    ]
    return plain[0] if len(plain) == 1 and len(plain[0]) == 1 else character
