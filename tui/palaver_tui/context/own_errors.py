"""The client's own errors: counted, written to a report, shown once for each kind."""

from __future__ import annotations

from datetime import datetime

from textual.app import App

from palaver_tui.context.dialogs import Dialogs
from palaver_tui.context.notices import Notices
from palaver_tui.keymap.actions import key_of
from palaver_tui.storage.error_reports import ErrorKind, ErrorLog
from palaver_tui.timing import ERROR_NOTICE_S


class OwnErrors:
    """Records errors, and shows a notice if there is a screen."""

    def __init__(self, app: App[int], log: ErrorLog, notices: Notices, dialogs: Dialogs) -> None:
        self._app = app
        self._notices = notices
        self._dialogs = dialogs
        self.log = log

    @property
    def _on_screen(self) -> bool:
        return self._app.is_running and bool(self._app.screen_stack)

    def take(self, error: Exception, now: datetime) -> None:
        """Count `error`; for a new kind write the report and show a notice."""
        new = self.log.note(error)
        if new is None:
            return
        self.log.write(now)
        if self._on_screen:
            try:
                self.say(new)
            except Exception as second:  # noqa: BLE001 - recorded; a notice of it would fail too
                self.log.note(second)
                self.log.write(now)

    def say(self, kind: ErrorKind) -> None:
        """Show a notice with the type of the error and the key that copies a report."""
        words = (
            f"Something went wrong in the client: {kind.type}.\n"  # the place is in the report
            f"Your chats are not affected. {key_of('app.report')} copies a report."
        )
        self._notices.say(words, "error", seconds=ERROR_NOTICE_S)
        self._app.call_later(self._close_broken)

    def _close_broken(self) -> None:
        """Close a dialog that failed to mount: it is empty, and no notice is visible over it."""
        if self._on_screen and self._dialogs.is_open and not self._app.screen.children:
            self._dialogs.close()
