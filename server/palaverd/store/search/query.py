"""Read what a user typed to search for. Pure.

Words are all wanted, in any order. "Words in quotation marks" stand next to each other. -word must
not be there. The last letters of a word can be left out: relay*. Whatever else is typed separates
words, so that there is no query with an error in it.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from palaverd.store.search.words import phrase

MOST_CHARACTERS: Final = 1000
MOST_WORDS: Final = 32  # phrases and excluded ones; each is one more list to go through
# Letters before a *. The words with one given first letter are a twentieth of all: to find them
# takes a second among a million messages, those with two take 30 ms.
LEAST_PREFIX: Final = 2

_QUOTES: Final = '"“”„«»'
_PIECE: Final = re.compile(
    rf"(?P<sign>(?<!\S)-(?=[^\s-]))?(?:[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)[{_QUOTES}]?|(?P<word>[^\s{_QUOTES}]+))"
)


class Term(msgspec.Struct, frozen=True):
    """A word or a phrase, as it was typed. `prefix`: words that begin with it are meant, too."""

    text: str
    prefix: bool = False


class Query(msgspec.Struct, frozen=True):
    """The terms that must all be in a text, and those of which none may be."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...] = ()


class QueryError(Exception):
    """There is nothing to search for, or too much; the message is a sentence for users."""


def read_query(text: str) -> Query:
    """Return the query that a user typed.

    Raises:
        QueryError: it has no word that is wanted, too many, or the beginnings of too many.
    """
    if len(text) > MOST_CHARACTERS:
        raise QueryError(f"A search has at most {MOST_CHARACTERS} characters.")
    wanted: list[Term] = []
    unwanted: list[Term] = []
    for piece in _PIECE.finditer(text):
        quoted, word = piece["phrase"], piece["word"]
        term = Term(quoted) if word is None else Term(word.rstrip("*"), word.endswith("*"))
        if (found := phrase(term.text, prefix=term.prefix)) is None:
            continue
        if term.prefix and found.words.isascii() and len(found.words) < LEAST_PREFIX:
            raise QueryError(
                f"{piece['word']} is too short: a * needs {LEAST_PREFIX} letters before it."
            )
        (unwanted if piece["sign"] else wanted).append(term)
    if len(wanted) + len(unwanted) > MOST_WORDS:
        raise QueryError(f"A search has at most {MOST_WORDS} words.")
    if unwanted and not wanted:
        raise QueryError("There are only words to exclude: a search needs one to look for.")
    if not wanted:
        raise QueryError("There is nothing to look for: a search needs a word.")
    return Query(tuple(wanted), tuple(unwanted))
