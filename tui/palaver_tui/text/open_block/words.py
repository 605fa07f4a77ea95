"""A row of words in one look that still grows: lines that are full are broken once."""

from __future__ import annotations

from palaver_tui.text.spans import Face, Span
from palaver_tui.text.wrap import wrap

# A row whose changing end is longer than this is kept up to a line in it.
KEEP_FROM = 400  # characters
# Lines at the end that a word to come may still change: it joins the last one, or takes its last
# word along to the next.
_LOOSE = 2


class GrowingWords:
    """Breaks a text into `rows` as `wrap` does."""

    def __init__(self, face: Face, width: int) -> None:
        self.rows: list[tuple[Span, ...]] = []
        self._face = face
        self._width = width
        self._kept = 0  # rows
        self._at = 0  # where the text after them starts

    def update(self, text: str) -> int:
        """Break `text`, which has only grown; return the first row that may have changed."""
        first = self._kept
        rows = wrap([Span(text[self._at :], self._face)], self._width)
        self.rows[first:] = rows
        if len(text) - self._at >= KEEP_FROM:
            at = self._at
            for row in rows[:-_LOOSE]:
                # Only blanks are left out between rows.
                words = "".join(span.text for span in row)
                at = text.index(words, at) + len(words)
            self._at, self._kept = at, max(first, len(self.rows) - _LOOSE)
        return first
