"""A text that is appended to in small pieces."""

from __future__ import annotations

# Pieces to collect before they are joined. An answer of 200 KB is 25,000 pieces: as separate
# strings they take several times its length, spread over memory that Python cannot return.
PIECES = 512


class GrowingText:
    """A text with constant-time append."""

    __slots__ = ("_joined", "_pieces", "length")

    def __init__(self) -> None:
        self._joined: list[str] = []
        self._pieces: list[str] = []
        self.length = 0  # code points

    def append(self, piece: str) -> None:
        """Append a piece."""
        self._pieces.append(piece)
        self.length += len(piece)
        if len(self._pieces) == PIECES:
            self._joined.append("".join(self._pieces))
            self._pieces.clear()

    @property
    def text(self) -> str:
        """The text so far."""
        if self._pieces or len(self._joined) > 1:
            self._joined = ["".join((*self._joined, *self._pieces))]
            self._pieces.clear()
        return self._joined[0] if self._joined else ""
