"""Texts of notices that several actions use."""

from __future__ import annotations

from palaver_tui.context.context import Context
from palaver_tui.keymap.actions import key_of
from palaver_tui.state.chat import ChatView
from palaver_tui.state.features import missing
from palaver_tui.state.permissions import Act, refusal
from palaver_tui.text.wrap import clip

TWICE = (
    f"Two {key_of('composer.send')} within a second count as one. Press it again a second later."
)
TITLE_CELLS = 40  # cells of a title in a notice


def quoted(title: str) -> str:
    """Return a title in quotation marks, clipped; "the chat" if it is empty."""
    words = " ".join(title.split())
    return f"“{clip(words, TITLE_CELLS)}”" if words else "the chat"


def lacks(context: Context, feature: str, what: str) -> bool:
    """Return whether the daemon is too old for a feature of `palaver.wire.protocol`.

    If so, show a notice that it has no `what` yet.
    """
    words = missing(context.session.info, feature, what)
    if words is not None:
        context.notices.say(words, "warning")
    return words is not None


def refused(context: Context, act: Act, view: ChatView) -> bool:
    """Return whether a chat forbids `act`; if so, show a notice with the reason."""
    archived = context.session.chats.is_archived(view.chat_id)
    words = refusal(act, view, archived=archived)
    if words is not None:
        context.notices.say(words, "warning")
    return words is not None
