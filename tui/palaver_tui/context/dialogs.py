"""Dialogs, which are shown over the main screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App

from palaver_tui.widgets.dialogs.dialog import Dialog

T = TypeVar("T")


class Dialogs:
    """Opens and closes dialogs."""

    def __init__(self, app: App[int]) -> None:
        self._app = app

    @property
    def is_open(self) -> bool:
        """Whether a dialog is shown over the main screen."""
        return len(self._app.screen_stack) > 1

    def open(self, dialog: Dialog[T], answered: Callable[[T | None], None] | None = None) -> None:
        """Show `dialog`; `answered` is called with its result, None if it is closed without one."""
        self._app.push_screen(dialog, answered)

    def shows(self, kind: type[Dialog[Any]]) -> bool:
        """Return whether the topmost dialog is of that type."""
        return isinstance(self._app.screen, kind)

    def close(self) -> None:
        """Close the topmost dialog without a result."""
        if isinstance(self._app.screen, Dialog):
            self._app.screen.answer(None)
