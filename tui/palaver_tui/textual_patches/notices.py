"""Taking a notice away before its time.

Textual has `App.clear_notifications` for all of them, and nothing for one. Without this, what an
undo has taken back would still be said.
"""

from __future__ import annotations

from typing import Any

from textual.app import App


def withdraw_notice(app: App[Any], text: str) -> None:
    """Take the notices with this text away."""
    for notice in list(app._notifications):
        if notice.message == text:
            app._unnotify(notice)
