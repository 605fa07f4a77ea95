"""A text that grows by small pieces."""

from __future__ import annotations

# Pieces that are kept one by one before they become one. An answer of 200 KB is 25,000 pieces:
# kept each for itself they take several times its length, spread over memory that Python then
# cannot give back.
PIECES = 512


class Growing:
    """Appending costs the same however long the text is."""

    __slots__ = ("_joined", "_pieces", "length")

    def __init__(self) -> None:
        self._joined: list[str] = []
        self._pieces: list[str] = []
        self.length = 0  # code points

    def append(self, piece: str) -> None:
        """Let the text grow."""
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
