"""Removal of single notices, and the widget that shows notices.

Textual has `App.clear_notifications` for all notices, and nothing for one. Without this the notice
of an action would stay after its undo. The widget that shows notices is private; without access to
it they would cover the composer.
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
    """Return the widget that shows the notices of a screen; None if they are switched off."""
    try:
        return screen.get_child_by_type(ToastRack)
    except NoMatches:
        return None
