"""Draws the lines of a transcript: each once, however often it moves."""

from __future__ import annotations

from typing import NamedTuple

from rich.style import Style
from textual.strip import Strip

from palaver_tui.text.spans import Line
from palaver_tui.themes.palettes import DARK, Palette
from palaver_tui.transcript.column import Column
from palaver_tui.widgets.strips import strip_of


class Dress(NamedTuple):
    """What lines are drawn with.

    They are filled up to the bar's room in one style, over that in another.
    """

    palette: Palette = DARK
    width: int = 0
    style: Style | None = None
    whole: int = 0
    empty: Style | None = None


class StripCache:
    """The lines of a column as strips, which are kept with their sections.

    Not in Textual's own cache, which goes by rows: when the text moves up by a line, every row
    shows a strip that was drawn before, and what Textual keeps with a strip (its parts, its escape
    codes) holds.
    """

    def __init__(self) -> None:
        self.dress = Dress()

    def put_on(self, column: Column, dress: Dress) -> None:
        """Draw with `dress` from now on."""
        if dress != self.dress:  # a theme is there at once, the styles that come with it later
            self.dress = dress
            self.forget(column)

    def forget(self, column: Column) -> None:
        """Draw everything anew: the colours are others."""
        for section in column.sections:
            section.cache.clear()

    def strip(self, column: Column, y: int) -> Strip:
        """Return line `y`, the room for the bar included."""
        section, number, line = column.line(y)
        if section is None:
            return self._drawn(line, column.width)
        cache = section.cache
        if number >= len(cache):
            cache.extend([None] * (number + 1 - len(cache)))
        strip = cache[number]
        if not isinstance(strip, Strip):
            strip = cache[number] = self._drawn(line, column.width)
        return strip

    def _drawn(self, line: Line, text_width: int) -> Strip:
        palette, width, style, whole, empty = self.dress
        strip = strip_of(line, text_width, palette)
        return strip.crop_extend(0, width, style).adjust_cell_length(whole, empty)
