"""The words with which servers say why an answer ended, in one table for all protocols.

A word is compared in lower case. One that is not here is shown to the person: an answer is never
silently taken for whole.
"""

from __future__ import annotations

from palaver.servers.facts import Meaning
from palaver.servers.table import words
from palaver.wire.messages import Finish

# Meaning -> word -> who says it. Where that is written is in the table of servers.
SAID: dict[Meaning, dict[str, str]] = words()

WORDS: dict[str, Meaning] = {word: meaning for meaning, said in SAID.items() for word in said}

# The finish of an answer that is kept.
FINISHES: dict[Meaning, Finish] = {
    "whole": "stop",
    "cut": "length",
    "filtered": "content_filter",
    "calls": "tool_calls",
}

# What stands for no word at all: sent with every piece until the last.
_NONE = frozenset(
    {
        "",
        "null",  # Baidu, DashScope, Zhipu
        "none",
        "unknown",
        "not_finished",  # watsonx
        "finish_reason_unspecified",  # Gemini
        "in_progress",  # OpenAI's Responses
        "queued",  # OpenAI's Responses
    }
)

# Where several words came, the first of these that is among them decides: a gateway that adds a
# `stop` of its own does not make an answer whole that was cut.
_WORST = ("given up", "filtered", "cut", None, "calls", "whole")

# Longer than any word; a sentence is cut for those who read it.
_MAX_WORD = 60


def word_of(value: object) -> str | None:
    """Return the finish word that a field holds, as it was written; None where it holds none.

    SGLang's own protocol wraps it: `{"type": "stop", "matched": 2}`.
    """
    if isinstance(value, dict):
        value = value.get("type")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    word = str(value).strip()[:_MAX_WORD]
    return None if word.lower() in _NONE else word


def meaning_of(word: str) -> Meaning | None:
    """Return what a finish word means; None for one that is not known."""
    return WORDS.get(word.lower().replace("-", "_").replace(" ", "_"))


def worse(one: str | None, other: str) -> str:
    """Return which of two finish words of one answer says less of its being whole."""
    if one is None:
        return other
    return min(one, other, key=lambda word: _WORST.index(meaning_of(word)))
