"""Base class of the application, for private parts of Textual's `App`.

- `App._handle_exception` gets every error that a handler, a worker or a timer raises; there is no
  hook. Without the override an error of the client ends it with a traceback.
- `App._driver` is the terminal. Textual's exit waits for a screen, which may never have been
  composed; without `release_terminal` a client that fails at its start leaves the terminal in
  application mode.
- `App._filters` are the colour filters, chosen before there is a theme. Without `without_colours` a
  terminal without colours is drawn with all of them, and with NO_COLOR frames vanish on a dark
  terminal.
- `App.refresh_css` parses all rules anew, without the stylesheet's cache, also for the theme that
  is chosen before the start: without the override rules are parsed twice before the first paint.
- `App._clipboard` is the text that a field pastes. `App.copy_to_clipboard` would also send it to
  the terminal, where the client copies in its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.app import App, ReturnType
from textual.filter import LineFilter, Monochrome, NoColor
from textual.notifications import Notify
from textual.worker import WorkerFailed

from palaver_tui.textual_patches.backstop import Backstop
from palaver_tui.textual_patches.notices import withdraw_notice

BACKSTOP: Final = Backstop()


def unwrapped(error: Exception) -> Exception:
    """Return the error that a worker raised, without Textual's `WorkerFailed` around it."""
    inner = error.error if isinstance(error, WorkerFailed) else error
    return inner if isinstance(inner, Exception) else error


class Application(App[ReturnType]):
    """An application that may continue after an error."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters for every line that is written to the terminal."""
        return [*super().get_line_filters(), BACKSTOP]

    def refresh_css(self, animate: bool = True) -> None:
        """Apply the colours of a new theme, to the rules alone if they have not been used yet."""
        if any(screen.is_mounted for screen in self.screen_stack):
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def on_notify(self, event: Notify) -> None:
        """Remove a notice that is said again: Textual's handler, which runs next, adds it anew."""
        withdraw_notice(self, event.notification.message)

    def handle_error(self, error: Exception) -> bool:
        """Record `error`; return whether the client continues. If not, Textual ends it."""
        return False

    def fail(self, error: Exception) -> None:
        """Handle an error as if a handler had raised it."""
        self._handle_exception(error)

    def _handle_exception(self, error: Exception) -> None:
        if not self.handle_error(unwrapped(error)):
            super()._handle_exception(error)

    def release_terminal(self) -> None:
        """Restore the terminal at once."""
        if self._driver is not None:
            self._driver.stop_application_mode()
            self._driver.close()

    def without_colours(self) -> None:
        """Draw only with the terminal's own two colours."""
        self.no_color = True
        # Textual's filter, chosen before a theme is known, turns the terminal's own colours into
        # black: frames would vanish on a dark terminal.
        self._filters = [
            NoColor() if isinstance(item, Monochrome) else item for item in self._filters
        ]
        if not any(isinstance(item, NoColor) for item in self._filters):
            # Textual treats a terminal of unknown colours as one with all colours.
            self._filters.append(NoColor())

    def set_pasted(self, text: str) -> None:
        """Set the text that fields paste."""
        self._clipboard = text
