"""What a chat is called before anybody, or any model, names it."""

from __future__ import annotations

from palaver.directives import without_directives

TITLE_WORDS = 6
TITLE_LENGTH = 80  # characters


def first_title(content: str) -> str:
    """Return the first words of a message, without control characters and directives."""
    said = without_directives(content)
    words = "".join(c if c.isprintable() else " " for c in said).split()
    return " ".join(words[:TITLE_WORDS])[:TITLE_LENGTH] or "New chat"
