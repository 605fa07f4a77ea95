"""Lines to choose from."""

from __future__ import annotations

from rich.style import Style
from textual.strip import Strip
from textual.widgets import OptionList

from palaver_tui.textual_patches.option_rows import option_at
from palaver_tui.widgets.strips import palette_of

PICKED = Style(reverse=True)


class Options(OptionList):
    """Shows which one is picked also where only the terminal's own background is used."""

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the view."""
        strip = super().render_line(y)
        number = self.scroll_offset.y + y
        # Textual leaves `reverse` out of what a style sheet says of a picked option.
        if palette_of(self.app).own:
            option = option_at(self, number)
            if option is not None and option == self.highlighted:
                return strip.apply_style(PICKED)
        return strip
