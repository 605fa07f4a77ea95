"""Option list with a highlight that is visible without colours."""

from __future__ import annotations

from rich.style import Style
from textual.strip import Strip
from textual.widgets import OptionList

from palaver_tui.textual_patches.option_rows import option_at
from palaver_tui.widgets.strips import palette_of

PICKED = Style(reverse=True)


class Options(OptionList):
    """An option list that reverses the highlighted option on the terminal's own background."""

    def render_line(self, y: int) -> Strip:
        """Return the strip of line `y` of the view."""
        strip = super().render_line(y)
        number = self.scroll_offset.y + y
        # Textual ignores `reverse` in a style sheet's rule for a highlighted option.
        if palette_of(self.app).own:
            option = option_at(self, number)
            if option is not None and option == self.highlighted:
                return strip.apply_style(PICKED)
        return strip
