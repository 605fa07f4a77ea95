"""How much of a text a model gets: the head and the tail, with a mark for what is left out."""

from __future__ import annotations

# Bytes.
LEAST = 16 * 1024
UNKNOWN_WINDOW = 64 * 1024

# A whole output is a file of this name in its call's folder; a path with this scheme and the call's
# id names it.
OUTPUT_NAME = "output"
OUTPUT_SCHEME = "output:"


def budget_of(context_limit: int | None) -> int:
    """Return the bytes of one result that a model with this context (tokens) gets.

    A third of its tokens, at three bytes each, which is about what code and logs take.
    """
    return UNKNOWN_WINDOW if context_limit is None else max(LEAST, context_limit // 3 * 3)


def clipped(text: str, budget: int, whole: str) -> str:
    """Return `text` within about `budget` bytes of UTF-8: two thirds are its head, one its tail.

    `whole` says where all of it is, for the mark.
    """
    data = text.encode("utf-8", "replace")
    if len(data) <= budget:
        return text
    return joined(data[: budget * 2 // 3], data[len(data) - budget // 3 :], len(data), whole)


def joined(head: bytes, tail: bytes, size: int, whole: str) -> str:
    """Return head and tail of `size` bytes as valid text, with a mark between them."""
    first = head.decode("utf-8", "ignore")
    last = tail[_begun(tail) :].decode("utf-8", "replace")
    left_out = size - len(first.encode()) - len(last.encode())
    return f"{first}\n[{left_out:,} bytes are left out here. {whole}]\n{last}"


def _begun(tail: bytes) -> int:
    """Return how many bytes at the start belong to a character that began before."""
    return next((at for at, byte in enumerate(tail[:4]) if byte & 0xC0 != 0x80), 0)
