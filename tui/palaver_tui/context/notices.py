"""Notices: sentences that are shown over the conversation for some seconds."""

from __future__ import annotations

from textual.app import App

from palaver_tui.session.store import Severity
from palaver_tui.text.visible import visible
from palaver_tui.textual_patches.notices import withdraw_notice
from palaver_tui.timing import NOTICE_S


class Notices:
    """Shows and removes notices."""

    def __init__(self, app: App[int]) -> None:
        self._app = app

    def say(self, text: str, severity: Severity = "information", seconds: float = NOTICE_S) -> None:
        """Show a notice. Markup and control characters in its text have no effect."""
        self._app.notify(visible(text), severity=severity, timeout=seconds, markup=False)

    def withdraw(self, text: str) -> None:
        """Remove the notices with this text."""
        withdraw_notice(self._app, visible(text))
