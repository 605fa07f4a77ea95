"""Texts of notices that several actions use."""

from __future__ import annotations

from palaver_tui.context.context import Context
from palaver_tui.state.permissions import Act, refusal
from palaver_tui.text.wrap import clip

TITLE_CELLS = 40  # cells of a title in a notice


def quoted(title: str) -> str:
    """Return a title in quotation marks, clipped; "the chat" if it is empty."""
    words = " ".join(title.split())
    return f"“{clip(words, TITLE_CELLS)}”" if words else "the chat"


def refused(context: Context, act: Act) -> bool:
    """Return whether the current chat forbids `act`; if so, show a notice with the reason."""
    session = context.session
    words = refusal(act, session.view, archived=session.is_archived)
    if words is not None:
        context.notices.say(words, "warning")
    return words is not None
