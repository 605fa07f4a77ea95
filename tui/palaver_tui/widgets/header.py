"""Header: the chat, its model, its context and cost, and the connection."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from palaver_tui.state.chat import ChatView
from palaver_tui.state.connection import Connection, Phase
from palaver_tui.state.label_text import label_text
from palaver_tui.text.spans import Face, Ink, Line, Span
from palaver_tui.text.visible import visible_line
from palaver_tui.text.wrap import clip, width_of
from palaver_tui.widgets.bar import MUTED, SEPARATOR
from palaver_tui.widgets.strips import row

DOTS: dict[Phase, tuple[str, Ink]] = {
    "starting": ("◌", "muted"),
    "live": ("●", "success"),
    "reconnecting": ("◍", "warning"),
    "offline": ("○", "error"),
}
# Shown instead of the daemon's name if none answers.
PLACES: dict[Phase, str] = {"starting": "starting", "offline": "offline"}
WIDE = 70  # columns; from this width the header shows context, cost and server in full
MOST_OF_PLACE = 26  # cells
BAR = "▁▂▃▄▅▆▇█"
LEAST_PART = 0.01  # of the context; a smaller part is not shown


def dollars(micros: int) -> str:
    """Return a cost as text in dollars."""
    value = micros / 1_000_000
    return f"${value:.4f}" if 0 < value < 0.01 else f"${value:.2f}"


def context_used(view: ChatView) -> tuple[str, Ink] | None:
    """Return the used part of the context window, None if unknown or below `LEAST_PART`."""
    if view.context_tokens is None or not view.context_limit:
        return None
    part = view.context_tokens / view.context_limit
    if part < LEAST_PART:
        return None
    ink: Ink = "error" if part >= 0.9 else "warning" if part >= 0.7 else "muted"
    eighth = BAR[min(7, int(part * 8))]
    return f"{eighth} {part:.0%}", ink


class Place(msgspec.Struct, frozen=True):
    """The daemon, as the header names it: `name` is `user@host`, or a local daemon's name.

    `remote`: it is not on this machine. `version` is its version, "" if it is this client's.
    """

    name: str = ""
    remote: bool = False
    version: str = ""

    def spans(self, phase: Phase, wide: bool) -> list[Span]:
        """Return the daemon as shown in the header; problems are shown in a narrow one, too."""
        dot, ink = DOTS[phase]
        said = PLACES.get(phase, "")
        name = f"{self.name} {said}".strip() if self.remote else said or self.name
        text = f" {clip(visible_line(name), MOST_OF_PLACE)}" if wide and name else ""
        shown = [Span(dot, Face(ink)), Span(text, MUTED)]
        if self.version and phase != "offline":
            told = f" palaverd {self.version}" if wide else f" {self.version}"
            shown.append(Span(clip(visible_line(told), MOST_OF_PLACE), Face("warning")))
        return shown


def header_line(
    view: ChatView,
    connection: Connection,
    place: Place,
    model: str | None,
    width: int,
    labels: Mapping[str, str] | None = None,
) -> Line:
    """Return the header in `width` cells; a narrow one omits what matters least."""
    wide = width >= WIDE
    right: list[list[Span]] = []
    if model:
        right.append([Span(clip(visible_line(model), 24), Face("text"))])
    if (used := context_used(view)) is not None:
        text, ink = used
        right.append([Span(f"ctx {text}" if wide else text, Face(ink))])
    if view.cost_micros is not None:  # without a price nothing is shown, not $0
        right.append([Span(dollars(view.cost_micros), MUTED)])
    right.append(place.spans(connection.phase, wide))
    spans = [
        span for index, part in enumerate(right) for span in ([SEPARATOR] if index else []) + part
    ]
    spans.append(Span(" "))
    title = visible_line(view.title) or "New chat"
    left = [Span(" palaver ", Face("accent", bold=True)), Span("▸ ", Face("faint"))]
    if width_of(title) + 40 > width and not wide:
        left = [Span(" ")]
    left.append(Span(title, Face("text", bold=True)))
    marks = Span(f"  {visible_line(label_text(labels or {}))}", Face("faint"))
    needed = sum(width_of(span.text) for span in [*left, marks, *spans]) + 1
    if labels and wide and needed <= width:
        left.append(marks)
    return row(left, spans, width)
