"""Patterns of the error messages of all known servers, by topic.

They are searched, in lower case, only if no type or code decides (`names.SPECIFIC`). Add a new
phrase to its server in `palaver.servers`, with its source.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

from palaver.servers.facts import Topic
from palaver.servers.table import sentences


class Phrase(msgspec.Struct, frozen=True):
    """One row: topic, server, a pattern for lower-case text, and an example of the message."""

    topic: Topic
    who: str
    pattern: str
    said: str


PHRASES: tuple[Phrase, ...] = tuple(
    Phrase(says.topic, server.name, says.pattern, says.said)
    for server, says in sentences()
    if says.pattern is not None
)


@cache
def _pattern(topic: Topic) -> re.Pattern[str]:
    return re.compile(
        "|".join(f"(?:{p.pattern})" for p in PHRASES if p.topic == topic), re.MULTILINE
    )


def mentions(topic: Topic, words: str) -> bool:
    """Return whether `words`, in lower case, contain a phrase about `topic`."""
    return _pattern(topic).search(words) is not None


# A number is a status only behind a word that names it as one, and not followed by what would make
# it a port, a duration, an id or a larger number.
STATUS = re.compile(
    r"\b(?:http(?:/[\d.]+)?(?: status)?|status(?:[ _]?code)?|error code|response code)"
    r"\s*[:=]?\s*['\"(]?([345]\d\d)(?![\w:.-]|\s*(?:ms|s|sec|seconds|minutes|tokens)\b)"
)
