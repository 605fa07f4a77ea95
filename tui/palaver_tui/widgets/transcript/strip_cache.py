"""Strip cache: each line of a transcript is drawn once, however often it scrolls."""

from __future__ import annotations

from typing import NamedTuple

from rich.style import Style
from textual.strip import Strip

from palaver_tui.text.spans import Line
from palaver_tui.themes.palettes import DARK, Palette
from palaver_tui.transcript.column import Column
from palaver_tui.widgets.strips import strip_of


class Dress(NamedTuple):
    """What strips depend on besides their lines.

    Strips are filled up to `width` with `style`, then, for the scroll bar, to `whole` with `empty`.
    """

    palette: Palette = DARK
    width: int = 0
    style: Style | None = None
    whole: int = 0
    empty: Style | None = None


class StripCache:
    """The strips of a column's lines, cached in the sections.

    Textual's own cache is by row. By line, a strip is found again when the text scrolls, and what
    Textual caches in a strip (its parts, its escape codes) stays valid.
    """

    def __init__(self) -> None:
        self.dress = Dress()

    def put_on(self, column: Column, dress: Dress) -> None:
        """Set the dress; clear the cache if it is another one."""
        if dress != self.dress:  # a new theme is set at once, the styles of its sheet later
            self.dress = dress
            self.forget(column)

    def forget(self, column: Column) -> None:
        """Clear the cache: the colours changed."""
        for section in column.sections:
            section.cache.clear()

    def strip(self, column: Column, y: int) -> Strip:
        """Return the strip of line `y`, including the cells of the scroll bar."""
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
