"""Welcome: the screen of an empty chat, with hints, or with what is missing for a model."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from palaver_tui.keymap.actions import key_of
from palaver_tui.state.first_run import FirstRun
from palaver_tui.text.spans import BLANK, Face, Line, Span
from palaver_tui.text.visible import visible_line
from palaver_tui.text.wrap import width_of, wrap
from palaver_tui.widgets.strips import palette_of, strip_of

MARK = ("╭───────────╮", "│  ·  ·  ·  │", "╰──╮  ╭─────╯", "   ╰──╯      ")
MAX_WIDTH = 64
KEY_ROWS = (
    ("composer.send", "send"),
    ("composer.newline", "new line"),
    ("chats.toggle", "chats"),
    ("app.palette", "all commands"),
    ("app.help", "help"),
)


def _centred(spans: tuple[Span, ...], width: int) -> Line:
    used = sum(width_of(span.text) for span in spans)
    return Line((Span(" " * max(0, (width - used) // 2)), *spans))


def _key_rows() -> list[tuple[Span, ...]]:
    return [
        (Span(f"{key_of(name):>8}  ", Face("accent")), Span(f"{label:<14}", Face("muted")))
        for name, label in KEY_ROWS
    ]


def welcome_lines(
    setup: FirstRun | None, model: str | None, width: int, height: int, hint: str = ""
) -> list[Line]:
    """Return the screen of an empty chat, centred in `width` and `height`.

    `setup` tells what is missing for a model, None if nothing is; `hint` is shown below the model.
    """
    lines: list[Line] = []
    if setup is not None:
        from palaver_tui.widgets.setup_help import setup_lines  # with examples for model servers

        lines += setup_lines(setup, min(MAX_WIDTH, width - 4), width, height)
    else:
        lines.append(_centred((Span("What shall we talk about?", Face(bold=True)),), width))
        if model:
            spans = (Span("You are talking to ", Face("muted")), Span(visible_line(model)))
            lines.append(_centred(spans, width))
        words = wrap([Span(hint, Face("muted"))], min(MAX_WIDTH, width - 4)) if hint else []
        lines += [_centred(tuple(spans), width) for spans in words]
        if height >= 9 + len(words):
            lines.append(BLANK)
            lines += [_centred(spans, width) for spans in _key_rows()]
    if height >= max(16, len(lines) + len(MARK) + 1):
        mark = [_centred((Span(part, Face("accent")),), width) for part in MARK]
        lines = [*mark, BLANK, *lines]
    above = max(0, (height - len(lines)) // 2)
    return [BLANK] * above + lines


class Welcome(Widget):
    """The widget of the screen of an empty chat."""

    def __init__(self) -> None:
        super().__init__(id="welcome")
        self._setup: FirstRun | None = None
        self._model: str | None = None
        self.hint = ""
        self._shown: tuple[FirstRun | None, str | None, int, int, str] | None = None
        self._lines: list[Line] = []

    def show(self, setup: FirstRun | None, model: str | None) -> None:
        """Show what is missing for a model, or the model that answers."""
        if (setup, model) != (self._setup, self._model):
            self._setup, self._model = setup, model
            self.refresh()

    @property
    def _laid_out(self) -> list[Line]:
        """The lines of the screen; laid out once, and not for every line that is drawn."""
        shown = (self._setup, self._model, *self.size, self.hint)
        if shown != self._shown:
            self._shown, self._lines = shown, welcome_lines(*shown)
        return self._lines

    def render_line(self, y: int) -> Strip:
        """Return the strip of line `y`."""
        width = self.size.width
        lines = self._laid_out
        line = lines[y] if y < len(lines) else BLANK
        return strip_of(line, width, palette_of(self.app)).crop_extend(0, width, self.rich_style)
