"""A text that is appended to without copying it."""

from __future__ import annotations

import msgspec


class GrowingText(msgspec.Struct, frozen=True, eq=False):
    """An immutable text; `plus` returns a longer one in constant time.

    All texts that grew from one share a list of pieces, and each has the number of pieces that
    belong to it. The list is copied only if the same text is appended to a second time.
    """

    length: int = 0
    _count: int = 0
    _pieces: list[str] = msgspec.field(default_factory=list)

    def plus(self, delta: str) -> GrowingText:
        """Return this text with `delta` after it."""
        if not delta:
            return self
        pieces = self._pieces
        if len(pieces) != self._count:  # this text was appended to before
            pieces = pieces[: self._count]
        pieces.append(delta)
        return GrowingText(self.length + len(delta), self._count + 1, pieces)

    def since(self, length: int) -> str:
        """Return the text after the first `length` characters, in time linear in the result."""
        missing = self.length - length
        tail: list[str] = []
        index = self._count
        while missing > 0:
            index -= 1
            piece = self._pieces[index]
            tail.append(piece if len(piece) <= missing else piece[-missing:])
            missing -= len(piece)
        return "".join(reversed(tail))

    def __str__(self) -> str:
        return "".join(self._pieces[: self._count])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GrowingText):
            return NotImplemented
        return self.length == other.length and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
