"""Finish words: why an answer ended, in one table for all protocols.

Words are compared in lower case. An unknown word is shown to the user: an answer is never silently
taken as complete.
"""

from __future__ import annotations

from palaver.servers.facts import Meaning
from palaver.servers.table import words
from palaver.wire.messages import Finish

# Meaning -> word -> servers that use it. Sources are in the table of servers.
SAID: dict[Meaning, dict[str, str]] = words()

WORDS: dict[str, Meaning] = {word: meaning for meaning, said in SAID.items() for word in said}

# The finish of a committed answer.
FINISHES: dict[Meaning, Finish] = {
    "whole": "stop",
    "cut": "length",
    "filtered": "content_filter",
    "calls": "tool_calls",
}

# Values that mean "not finished", sent with every event before the last.
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

# If there are several words, the first of these that is among them decides: a gateway that adds
# `stop` does not complete an answer that was cut.
_WORST = ("given up", "filtered", "cut", None, "calls", "whole")

# Characters; longer than any word. A sentence is truncated for display.
_MAX_WORD = 60


def word_of(value: object) -> str | None:
    """Return the finish word in a field, as written; None if there is none.

    SGLang's own protocol wraps it: `{"type": "stop", "matched": 2}`.
    """
    if isinstance(value, dict):
        value = value.get("type")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    word = str(value).strip()[:_MAX_WORD]
    return None if word.lower() in _NONE else word


def meaning_of(word: str) -> Meaning | None:
    """Return the meaning of a finish word; None if it is unknown."""
    return WORDS.get(word.lower().replace("-", "_").replace(" ", "_"))


def worse(one: str | None, other: str) -> str:
    """Return the one of two finish words that is the weaker sign of a complete answer."""
    if one is None:
        return other
    return min(one, other, key=lambda word: _WORST.index(meaning_of(word)))
