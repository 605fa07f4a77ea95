"""What providers say about their failures in sentences: the patterns of all servers together.

A phrase is searched, in lower case, only where no type or code has already said what happened
(`names.SPECIFIC`). To teach a new one, add it to whoever says it in `palaver.servers`, with its
source.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

from palaver.servers.facts import Topic
from palaver.servers.table import sentences


class Phrase(msgspec.Struct, frozen=True):
    """One row: what it is about, who says so, a pattern for lower-case text, and an example."""

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


def speaks_of(topic: Topic, words: str) -> bool:
    """Say whether `words`, in lower case, have a phrase about `topic`."""
    return _pattern(topic).search(words) is not None


# A number is a status only where it stands as one: behind a word that says so, and not followed
# by what would make it a port, a duration, an id or a larger number.
STATUS = re.compile(
    r"\b(?:http(?:/[\d.]+)?(?: status)?|status(?:[ _]?code)?|error code|response code)"
    r"\s*[:=]?\s*['\"(]?([345]\d\d)(?![\w:.-]|\s*(?:ms|s|sec|seconds|minutes|tokens)\b)"
)
