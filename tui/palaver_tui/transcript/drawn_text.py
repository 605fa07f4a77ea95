"""Text without a source map, such as reasoning or a tool's output: its characters are counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from palaver_tui.text.code import CONTINUATION
from palaver_tui.text.source.source_map import Neighbour, Place
from palaver_tui.text.spans import Line


class Characters(Protocol):
    """The characters that lines show, by offsets that are the same in every layout."""

    def after(self, place: Place) -> Neighbour | None:
        """Return the first character shown at `place` or after it, and the place before it."""

    def before(self, place: Place) -> Neighbour | None:
        """Return the last character shown before `place`, and the place behind it."""

    def place_at(self, offset: int) -> Place | None:
        """Return the place before the character with an offset, None if it is not shown."""

    def end_at(self, offset: int) -> Place | None:
        """Return the place behind the character with an offset, None if it is not shown."""


class DrawnText:
    """The characters of lines, without blanks and frames, which depend on the width.

    An offset is the number of characters before; below a folded middle, whose length depends on the
    width, minus the number of those from there to the end.
    """

    def __init__(self, lines: Sequence[Line], heads: Sequence[int] = ()) -> None:
        """Count the characters of `lines`, but for those in `heads`, which are heads of folds."""
        self._lines = lines
        self._heads = set(heads)
        inner = [head for head in heads if head > 0]
        self._above = min(inner, default=len(lines))  # the line after those counted from the start
        self._under = max(inner, default=-1) + 1  # the first line of those counted from the end

    def after(self, place: Place) -> Neighbour | None:
        """Return the first character shown at `place` or after it, and the place before it."""
        for line in range(place[0], len(self._lines)):
            for index, column in enumerate(self._columns(line)):
                if (line, column) >= place:
                    return self._neighbour(line, index, column)
        return None

    def before(self, place: Place) -> Neighbour | None:
        """Return the last character shown before `place`, and the place behind it."""
        for line in range(min(place[0], len(self._lines) - 1), -1, -1):
            columns = self._columns(line)
            for index in reversed(range(len(columns))):
                if (line, columns[index]) < place:
                    return self._neighbour(line, index, columns[index] + 1)
        return None

    def _neighbour(self, line: int, index: int, column: int) -> Neighbour | None:
        if line < self._above:
            counted = sum(map(self._count, range(line)))
            return Neighbour(counted + index, (line, column))
        if line >= self._under:
            counted = sum(map(self._count, range(line, len(self._lines))))
            return Neighbour(index - counted, (line, column))
        return None

    def place_at(self, offset: int) -> Place | None:
        """Return the place before a character; if it is folded away, that of the fold's head."""
        if offset >= 0:
            for line in range(self._above):
                if offset < self._count(line):
                    return line, self._columns(line)[offset]
                offset -= self._count(line)
        else:
            first = self._under if self._heads - {0} else 0
            for line in reversed(range(first, len(self._lines))):
                offset += self._count(line)
                if offset >= 0:
                    return line, self._columns(line)[offset]
        return min(((head, 0) for head in self._heads if head > 0), default=None)

    def end_at(self, offset: int) -> Place | None:
        """Return the place behind a character; as `place_at` if it is folded away."""
        found = self.place_at(offset)
        return None if found is None else (found[0], found[1] + (found[0] not in self._heads))

    def _count(self, line: int) -> int:
        if line in self._heads:
            return 0
        return sum(len("".join(text.split())) for text in _texts(self._lines[line]))

    def _columns(self, line: int) -> list[int]:
        """Return the columns of a line's characters."""
        if line in self._heads:
            return []
        columns: list[int] = []
        at = 0
        for text, face in self._lines[line].spans:
            if _is_text(text, face.ink):
                columns += [at + n for n, one in enumerate(text) if not one.isspace()]
            at += len(text)
        return columns


def _texts(line: Line) -> Iterator[str]:
    return (text for text, face in line.spans if _is_text(text, face.ink))


def _is_text(text: str, ink: str) -> bool:
    return ink != "rule" and not (ink == "code_comment" and text.strip() == CONTINUATION.strip())
