"""Dialogs, which are shown over the main screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from textual.app import App

from palaver_tui.context.notices import Notices
from palaver_tui.session.session import Session

if TYPE_CHECKING:
    from palaver_tui.widgets.dialogs.dialog import Dialog

T = TypeVar("T")


class Dialogs:
    """Opens and closes dialogs."""

    def __init__(self, app: App[int], session: Session, notices: Notices) -> None:
        self._app = app
        self._session = session
        self._notices = notices

    @property
    def is_open(self) -> bool:
        """Whether a dialog is shown over the main screen."""
        return len(self._app.screen_stack) > 1

    def open(self, dialog: Dialog[T], answered: Callable[[T], None] | None = None) -> None:
        """Show a dialog that is about no chat; `answered` is called with its result, if any."""

        def closed(given: T | None) -> None:
            if given is not None and answered is not None:
                answered(given)

        self._app.push_screen(dialog, closed)

    def ask(self, dialog: Dialog[T], answered: Callable[[str, T], None]) -> None:
        """Show a dialog about the current chat; `answered` gets that chat's name, and the result.

        Another chat may be the current one by then. If the chat is deleted, a notice is shown.
        """
        session, asked = self._session, self._session.current

        def given(result: T) -> None:
            name = session.called(asked)
            if session.knows(name):
                answered(name, result)
            else:
                self._notices.say("Nothing was done: that chat is gone.", "warning")

        self.open(dialog, given)

    def shows(self, kind: type[Dialog[Any]]) -> bool:
        """Return whether the topmost dialog is of that type."""
        return isinstance(self._app.screen, kind)

    def close(self) -> None:
        """Close the topmost dialog without a result."""
        if not self.is_open:
            return
        from palaver_tui.widgets.dialogs.dialog import Dialog

        if isinstance(self._app.screen, Dialog):
            self._app.screen.answer(None)
