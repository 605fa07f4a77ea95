"""Incremental wrapping of a growing text in one face: full rows are wrapped once."""

from __future__ import annotations

from palaver_tui.text.spans import Face, Span
from palaver_tui.text.wrap import wrap

# Length of the changing end from which on its first rows are kept.
KEEP_FROM = 400  # characters
# Rows at the end that the next word may change: it joins the last row, or the last word of that,
# which then moves to the next row.
_LOOSE = 2


class GrowingWords:
    """A growing text, wrapped into `rows` as `wrap` does."""

    def __init__(self, face: Face, width: int) -> None:
        self.rows: list[tuple[Span, ...]] = []
        self._face = face
        self._width = width
        self._kept = 0  # rows
        self._at = 0  # offset of the text after them

    def update(self, text: str) -> int:
        """Wrap `text`, which has only grown; return the first row that may have changed."""
        first = self._kept
        rows = wrap([Span(text[self._at :], self._face)], self._width)
        self.rows[first:] = rows
        if len(text) - self._at >= KEEP_FROM:
            at = self._at
            for row in rows[:-_LOOSE]:
                # `wrap` drops only blanks between rows.
                words = "".join(span.text for span in row)
                at = text.index(words, at) + len(words)
            self._at, self._kept = at, max(first, len(self.rows) - _LOOSE)
        return first
