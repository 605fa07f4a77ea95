"""Divide text into words, as the index and queries see them. Pure.

The index divides text at everything that is no letter, digit or mark: `snake_case` and `a.b()` are
two words each, and a query with either looks for its words next to each other. That leaves scripts
without spaces between words, whose sentences would be one word each: a run of their characters is
indexed as every two neighbours, and its last character. So a query of any length finds it anywhere
in a run. SQLite's own trigrams do not find words of two characters, which most Chinese words are.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from palaver.wire.messages import Text
from palaverd.store import codec

# In a regular expression: letters and marks of scripts that are written without spaces, and Hangul,
# whose particles follow their words without one: Han, kana, Hangul, Thai, Lao, Burmese, Khmer.
WITHOUT_SPACES: Final = (
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
    "\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\uac00-\ud7a3"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59"
    "\u0e81-\u0ebd\u0ec0-\u0ecd\u0ed0-\u0edf"
    "\u1000-\u1049\u1050-\u109d"
    "\u1780-\u17b3\u17b6-\u17d3\u17e0-\u17e9"
)
_RUN: Final = re.compile(f"[{WITHOUT_SPACES}]+")


class Phrase(NamedTuple):
    """Words to find next to each other. `prefix`: the last one is the beginning of a word."""

    words: str
    prefix: bool


def text_of(parts: str) -> str:
    """Return what is said in the stored parts of a message: its text, without anything else."""
    return "\n".join(part.text for part in codec.load_parts(parts) if isinstance(part, Text))


def indexed(text: str) -> str:
    """Return `text` as it is indexed: its words with something between them."""
    if text.isascii():
        return text
    return _RUN.sub(
        lambda run: f" {_pairs(run[0])} {run[0][-1]} ", unicodedata.normalize("NFKC", text)
    )


def phrase(text: str, *, prefix: bool) -> Phrase | None:
    """Return what to look for in the index to find `text`; None if there is no word in it."""
    text = unicodedata.normalize("NFKC", text)
    while text and not _is_of_word(text[-1]):
        text = text[:-1]
    if not any(map(_begins_word, text)):
        return None
    runs = list(_RUN.finditer(text))
    if not runs or runs[-1].end() < len(text):
        return Phrase(indexed(text).strip(), prefix)
    last = runs[-1]
    before, run = indexed(text[: last.start()]), last[0]
    # The run may go on: its last character is not the last one of the run in the index.
    return Phrase(f"{before} {_pairs(run) or run}".strip(), prefix=len(run) == 1)


def _pairs(run: str) -> str:
    return " ".join(run[at : at + 2] for at in range(len(run) - 1))


def _begins_word(character: str) -> bool:
    """Return whether a character is a word even if it stands alone."""
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "Co"


def _is_of_word(character: str) -> bool:
    return _begins_word(character) or unicodedata.category(character)[0] == "M"
