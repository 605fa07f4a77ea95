"""Up to where the user has read the chat that is shown. Pure."""

from __future__ import annotations

from palaver_tui.state.chat import ChatView
from palaver_tui.state.chat_list import ChatList


def read_up_to(view: ChatView, chats: ChatList, *, looking: bool) -> int | None:
    """Return the snapshot version up to which a chat is to be reported as read; None: not now.

    Args:
        view: the chat that is shown.
        chats: the list, which says whether it is unread.
        looking: whether the terminal has the focus, as far as it tells.
    """
    known = chats.chats.get(view.chat_id or "")
    shown = view.progress.since
    if not looking or known is None or not known.unread or shown is None:
        return None
    # What made it unread may not have arrived in the chat's own stream yet.
    return shown if shown >= known.versions.snapshot else None
