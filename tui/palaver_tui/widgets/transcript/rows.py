"""Draws the rows of the transcript that are in view: each line once, however often it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style as RichStyle
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style

from palaver_tui.text.spans import Line
from palaver_tui.widgets.strips import palette_of, strip_of
from palaver_tui.widgets.transcript.marks import marked

if TYPE_CHECKING:
    from palaver_tui.widgets.transcript.widget import Transcript


class Fills(NamedTuple):
    """What a line is filled up with: to the bar's room in one style, over that in another."""

    width: int = 0
    style: RichStyle | None = None
    whole: int = 0
    empty: RichStyle | None = None


class Strips:
    """The transcript's lines as strips, which are kept with their sections.

    Not in Textual's own cache, which goes by rows: when the text moves up by a line, every row
    shows a strip that was drawn before, and what Textual keeps with a strip (its parts, its escape
    codes) holds.
    """

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._fills = Fills()

    def forget(self) -> None:
        """Draw everything anew: the colours are others."""
        for section in self._transcript.column.sections:
            section.cache.clear()

    def rows(self, crop: Region) -> list[Strip]:
        """Return the rows in `crop`."""
        transcript = self._transcript
        background = transcript.background_colors[1]
        fills = Fills(
            transcript.scrollable_content_region.width,
            transcript.rich_style,
            transcript.size.width,
            Style(background=background).rich_style,
        )
        if fills != self._fills:  # a theme is there at once, the styles that come with it later
            self._fills = fills
            self.forget()
        strips = [transcript.render_line(y) for y in crop.line_range]
        for line_filter in transcript.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, transcript.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def row(self, y: int) -> Strip:
        """Return row `y` of the view, the room for the bar included."""
        transcript = self._transcript
        number = transcript.scroll_offset.y + y
        section, line, laid = transcript.column.line(number)
        if section is None:
            return self._drawn(laid)
        cache = section.cache
        if line >= len(cache):
            cache.extend([None] * (line + 1 - len(cache)))
        strip = cache[line]
        if not isinstance(strip, Strip):
            strip = cache[line] = self._drawn(laid)
        if self.are_marked:
            marks = [
                *transcript.dropped_marks(number),
                *transcript.searching.marks(section, line),
                *transcript.pointing.marks(section, line),
                *transcript.selecting.marks(number),
            ]
            strip = marked(strip, marks, palette_of(transcript.app))
        return strip

    def _drawn(self, line: Line) -> Strip:
        transcript = self._transcript
        strip = strip_of(line, transcript.column.width, palette_of(transcript.app))
        width, style, whole, empty = self._fills
        return strip.crop_extend(0, width, style).adjust_cell_length(whole, empty)

    @property
    def are_marked(self) -> bool:
        """Whether something may be marked in the text."""
        transcript = self._transcript
        return (
            transcript.searching.active
            or transcript.selecting.active
            or transcript.pointing.thing is not None
            or transcript.editing is not None
        )
