"""What the header says: the chat, its model, what it used and cost, and the connection."""

from __future__ import annotations

from palaver_tui.layout.faces import Face, Ink, Line, Span
from palaver_tui.layout.visible import visible_line
from palaver_tui.layout.wrap import clip, width_of
from palaver_tui.view.chat import ChatView
from palaver_tui.view.connection import Connection, Phase
from palaver_tui.widgets.bars import MUTED, SEPARATOR
from palaver_tui.widgets.drawing import row

DOTS: dict[Phase, tuple[str, Ink]] = {
    "starting": ("◌", "muted"),
    "live": ("●", "success"),
    "reconnecting": ("◍", "warning"),
    "offline": ("○", "error"),
}
# What stands in the place of the daemon's where none answers.
PLACES: dict[Phase, str] = {"starting": "starting", "offline": "offline"}
WIDE = 70  # columns from which the header names context, cost and server in full
BAR = "▁▂▃▄▅▆▇█"
LEAST_PART = 0.01  # of the context, below which a bar would say nothing


def dollars(micros: int) -> str:
    """Return a cost for people."""
    value = micros / 1_000_000
    return f"${value:.4f}" if 0 < value < 0.01 else f"${value:.2f}"


def context_used(view: ChatView) -> tuple[str, Ink] | None:
    """Return the part of the context window in use, None if it is not known or next to nothing."""
    if view.context_tokens is None or not view.context_limit:
        return None
    part = view.context_tokens / view.context_limit
    if part < LEAST_PART:
        return None
    ink: Ink = "error" if part >= 0.9 else "warning" if part >= 0.7 else "muted"
    eighth = BAR[min(7, int(part * 8))]
    return f"{eighth} {part:.0%}", ink


def header_line(
    view: ChatView, connection: Connection, server: str, model: str | None, width: int
) -> Line:
    """Return the header in `width` cells; what matters least goes first when it is narrow."""
    wide = width >= WIDE
    right: list[list[Span]] = []
    if model:
        right.append([Span(clip(visible_line(model), 24), Face("text"))])
    if (used := context_used(view)) is not None:
        text, ink = used
        right.append([Span(f"ctx {text}" if wide else text, Face(ink))])
    if view.cost_micros is not None:  # what has no price has none here either, rather than $0
        right.append([Span(dollars(view.cost_micros), MUTED)])
    dot, ink = DOTS[connection.phase]
    server = PLACES.get(connection.phase, server)
    place = f" {clip(visible_line(server), 22)}" if wide and server else ""
    right.append([Span(dot, Face(ink)), Span(place, MUTED)])
    spans = [
        span for index, part in enumerate(right) for span in ([SEPARATOR] if index else []) + part
    ]
    spans.append(Span(" "))
    title = visible_line(view.title) or "New chat"
    left = [Span(" palaver ", Face("accent", bold=True)), Span("▸ ", Face("faint"))]
    if width_of(title) + 40 > width and not wide:
        left = [Span(" ")]
    return row([*left, Span(title, Face("text", bold=True))], spans, width)
