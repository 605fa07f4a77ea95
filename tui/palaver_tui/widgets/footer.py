"""What the footer says: the keys that matter now."""

from __future__ import annotations

from collections.abc import Callable

from palaver_tui.actions import ACTIONS, Action, key_name
from palaver_tui.layout.faces import Face, Line, Span
from palaver_tui.layout.wrap import width_of
from palaver_tui.view.live import STOPPABLE, LiveState
from palaver_tui.widgets.drawing import row


def _pair(key: str, label: str) -> list[Span]:
    return [Span(f" {key}", Face("accent")), Span(f" {label} ", Face("muted"))]


def footer_line(
    state: LiveState, closes: str | None, offers: Callable[[Action], bool], width: int
) -> Line:
    """Return the footer; `closes` is what Esc would close, None when nothing is open.

    `offers` says whether an action makes sense now.
    """
    left: list[Span] = []
    if closes is not None:
        left += _pair("Esc", closes)
    elif state in STOPPABLE:
        left += _pair("Esc", "stop")
    for action in ACTIONS:
        if action.footer and action.keys and offers(action):
            left += _pair(key_name(action.keys[0]), action.footer)
    help_spans = [*_pair("F1", "help")]
    room = width - sum(width_of(span.text) for span in help_spans) - 1
    kept: list[Span] = []
    for key, label in zip(left[::2], left[1::2], strict=True):
        if sum(width_of(span.text) for span in [*kept, key, label]) > room:
            break
        kept += [key, label]
    return row(kept, help_spans, width)
