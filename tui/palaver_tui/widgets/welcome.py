"""What is shown where no conversation is yet: a beginning, or what is missing for one."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from palaver.wire.chats import Models
from palaver_tui.layout.faces import BLANK, Face, Line, Span
from palaver_tui.layout.visible import visible_line
from palaver_tui.layout.wrap import width_of, wrap
from palaver_tui.widgets.drawing import palette_of, strip_of

MARK = ("╭───────────╮", "│  ·  ·  ·  │", "╰──╮  ╭─────╯", "   ╰──╯      ")
MAX_WIDTH = 64


def needs_key(models: Models | None) -> bool:
    """Say whether no model can be used."""
    return models is not None and all(model.unavailable for model in models.models)


def _centred(spans: tuple[Span, ...], width: int) -> Line:
    used = sum(width_of(span.text) for span in spans)
    return Line((Span(" " * max(0, (width - used) // 2)), *spans))


def _left(spans: tuple[Span, ...], inner: int, width: int) -> Line:
    return Line((Span(" " * max(0, (width - inner) // 2)), *spans))


def _key_rows() -> list[tuple[Span, ...]]:
    rows = [
        ("⏎", "send"),
        ("Ctrl+J", "new line"),
        ("^l", "chats"),
        ("^k", "all commands"),
        ("F1", "help"),
    ]
    return [
        (Span(f"{key:>8}  ", Face("accent")), Span(f"{label:<14}", Face("muted")))
        for key, label in rows
    ]


def welcome_lines(models: Models | None, model: str | None, width: int, height: int) -> list[Line]:
    """Return the screen for an empty chat, in the middle of `width` and `height`."""
    lines: list[Line] = []
    tall = height >= 16
    if tall:
        lines += [_centred((Span(part, Face("accent")),), width) for part in MARK]
        lines.append(BLANK)
    if needs_key(models):
        lines += _first_run(models, width)
    else:
        lines.append(_centred((Span("What shall we talk about?", Face(bold=True)),), width))
        if model:
            spans = (Span("You are talking to ", Face("muted")), Span(visible_line(model)))
            lines.append(_centred(spans, width))
        if height >= 9:
            lines.append(BLANK)
            lines += [_centred(spans, width) for spans in _key_rows()]
    above = max(0, (height - len(lines)) // 2)
    return [BLANK] * above + lines


def _first_run(models: Models | None, width: int) -> list[Line]:
    inner = min(MAX_WIDTH, width - 4)
    steps: list[tuple[str, Face]] = [
        ("One thing is missing: a model to talk to.", Face(bold=True)),
        ("", Face()),
        ("Give Palaver a key, then start it again:", Face()),
        ("    export ANTHROPIC_API_KEY=…", Face("accent")),
        ("    export OPENAI_API_KEY=…", Face("accent")),
        (
            "A model server on this machine, or keys in a file, go into config.toml; "
            "`palaverd config example` shows one.",
            Face("muted"),
        ),
        ("", Face()),
        ("Without any key, the simulator shows what this is like:", Face()),
        ("    palaver demo", Face("accent")),
    ]
    lines: list[Line] = []
    for text, face in steps:
        if text.startswith("    ") or not text:
            lines.append(_left((Span(text, face),), inner, width))
            continue
        lines += [_left(row, inner, width) for row in wrap([Span(text, face)], inner)]
    reasons = (
        {model.unavailable.message for model in models.models if model.unavailable}
        if models
        else set()
    )
    for reason in sorted(reasons)[:2]:
        lines.append(BLANK)
        lines += [
            _left(row, inner, width)
            for row in wrap([Span(visible_line(reason), Face("warning"))], inner)
        ]
    return lines


class Welcome(Widget):
    """Draws the screen of an empty chat."""

    def __init__(self) -> None:
        super().__init__(id="welcome")
        self._models: Models | None = None
        self._model: str | None = None

    def show(self, models: Models | None, model: str | None) -> None:
        """Show what can be done with `models`."""
        if (models, model) != (self._models, self._model):
            self._models, self._model = models, model
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return line `y`."""
        width = self.size.width
        lines = welcome_lines(self._models, self._model, width, self.size.height)
        line = lines[y] if y < len(lines) else BLANK
        return strip_of(line, width, palette_of(self.app)).crop_extend(0, width, self.rich_style)
