"""What a chat is called before anybody, or any model, names it."""

from __future__ import annotations

TITLE_WORDS = 6
TITLE_LENGTH = 80  # characters


def first_title(content: str) -> str:
    """Return the first words of a message, without control characters."""
    words = "".join(c if c.isprintable() else " " for c in content).split()
    return " ".join(words[:TITLE_WORDS])[:TITLE_LENGTH] or "New chat"
