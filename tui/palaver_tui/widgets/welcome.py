"""What is shown where no conversation is yet: a beginning, or what is missing for one."""

from __future__ import annotations

from textual.strip import Strip
from textual.widget import Widget

from palaver.wire.chats import Models
from palaver_tui.actions import BY_ID, key_name
from palaver_tui.layout.faces import BLANK, Face, Line, Span
from palaver_tui.layout.visible import visible_line
from palaver_tui.layout.wrap import width_of, wrap
from palaver_tui.widgets.drawing import palette_of, strip_of

MARK = ("╭───────────╮", "│  ·  ·  ·  │", "╰──╮  ╭─────╯", "   ╰──╯      ")
MAX_WIDTH = 64
KEY_ROWS = (
    ("composer.send", "send"),
    ("composer.newline", "new line"),
    ("chats.toggle", "chats"),
    ("app.palette", "all commands"),
    ("app.help", "help"),
)


def needs_key(models: Models | None) -> bool:
    """Say whether no model can be used."""
    return models is not None and all(model.unavailable for model in models.models)


def _centred(spans: tuple[Span, ...], width: int) -> Line:
    used = sum(width_of(span.text) for span in spans)
    return Line((Span(" " * max(0, (width - used) // 2)), *spans))


def _left(spans: tuple[Span, ...], inner: int, width: int) -> Line:
    return Line((Span(" " * max(0, (width - inner) // 2)), *spans))


def _key_rows() -> list[tuple[Span, ...]]:
    rows = [(key_name(BY_ID[name].keys[0]), label) for name, label in KEY_ROWS]
    return [
        (Span(f"{key:>8}  ", Face("accent")), Span(f"{label:<14}", Face("muted")))
        for key, label in rows
    ]


def welcome_lines(
    models: Models | None, model: str | None, width: int, height: int, pid: int | None = None
) -> list[Line]:
    """Return the screen for an empty chat, in the middle of `width` and `height`.

    `pid` is the daemon on this machine, None if it is elsewhere.
    """
    lines: list[Line] = []
    tall = height >= 16
    if tall:
        lines += [_centred((Span(part, Face("accent")),), width) for part in MARK]
        lines.append(BLANK)
    if needs_key(models):
        lines += _first_run(models, width, pid)
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


def _first_run(models: Models | None, width: int, pid: int | None) -> list[Line]:
    inner = min(MAX_WIDTH, width - 4)
    # The daemon reads keys when it starts, and one without any would outlive this client.
    ask = "Give Palaver a key, and start its daemon anew with it:"
    again = [(f"    kill {pid}; palaver", Face("accent"))]
    if pid is None:
        ask, again = "Give Palaver a key, then start its daemon anew:", []
    steps: list[tuple[str, Face]] = [
        ("One thing is missing: a model to talk to.", Face(bold=True)),
        ("", Face()),
        (ask, Face()),
        ("    export ANTHROPIC_API_KEY=…", Face("accent")),
        ("    export OPENAI_API_KEY=…", Face("accent")),
        *again,
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
        self._pid: int | None = None

    def show(self, models: Models | None, model: str | None, pid: int | None) -> None:
        """Show what can be done with `models`; `pid` is the daemon, if it is on this machine."""
        if (models, model, pid) != (self._models, self._model, self._pid):
            self._models, self._model, self._pid = models, model, pid
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return line `y`."""
        width = self.size.width
        height = self.size.height
        lines = welcome_lines(self._models, self._model, width, height, self._pid)
        line = lines[y] if y < len(lines) else BLANK
        return strip_of(line, width, palette_of(self.app)).crop_extend(0, width, self.rich_style)
