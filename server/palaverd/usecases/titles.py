"""Titles of chats: validation, and default titles of new chats and forks."""

from __future__ import annotations

import re

from palaver.directives import without_directives
from palaver.wire.chats import TITLE_LIMIT
from palaverd.usecases.errors import InvalidRequest

FIRST_WORDS = 6
FIRST_LENGTH = 80  # characters

_FORK = re.compile(r" \(fork(?: (\d{1,4}))?\)$")


def check_title(title: str | None) -> None:
    """Check a title; None is no change.

    Raises:
        InvalidRequest: it is empty or too long.
    """
    if title is not None and not 0 < len(title.strip()) <= TITLE_LIMIT:
        raise InvalidRequest(f"A title has 1 to {TITLE_LIMIT} characters.", "title")


def first_title(content: str) -> str:
    """Return the first words of a message, without control characters and directives."""
    said = without_directives(content)
    words = "".join(c if c.isprintable() else " " for c in said).split()
    return " ".join(words[:FIRST_WORDS])[:FIRST_LENGTH] or "New chat"


def fork_title(title: str) -> str:
    """Return the title of a fork, which differs from its source's."""
    known = _FORK.search(title)
    number = int(known[1] or 1) + 1 if known else 1
    words = " (fork)" if number == 1 else f" (fork {number})"
    stem = title[: known.start()] if known else title
    return (stem[: TITLE_LIMIT - len(words)].rstrip() + words).strip()
