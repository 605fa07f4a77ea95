"""Taking a notice away before its time, and finding where notices are shown.

Textual has `App.clear_notifications` for all of them, and nothing for one. Without this, what an
undo has taken back would still be said. The widget that shows them is private; without it they
would lie over the composer.
"""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets._toast import ToastRack


def withdraw_notice(app: App[Any], text: str) -> None:
    """Remove the notices with this text."""
    for notice in list(app._notifications):
        if notice.message == text:
            app._unnotify(notice)


def notice_rack(screen: Screen[Any]) -> Widget | None:
    """Return the widget that has the notices of a screen, None where they are switched off."""
    try:
        return screen.get_child_by_type(ToastRack)
    except NoMatches:
        return None
