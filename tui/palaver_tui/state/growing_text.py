"""Text that grows at its end without being copied."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class GrowingText:
    """An immutable text; `plus` gives a longer one in constant time.

    All texts that grew from one share one list of pieces and each knows how much of it is its
    own. Only growing the same text twice in different ways copies.
    """

    length: int = 0
    _count: int = 0
    _pieces: list[str] = field(default_factory=list)

    def plus(self, delta: str) -> GrowingText:
        """Return this text with `delta` after it."""
        if not delta:
            return self
        pieces = self._pieces
        if len(pieces) != self._count:  # somebody grew this text already
            pieces = pieces[: self._count]
        pieces.append(delta)
        return GrowingText(self.length + len(delta), self._count + 1, pieces)

    def since(self, length: int) -> str:
        """Return what comes after the first `length` characters; costs what it returns."""
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
