"""Up and down in the composer: taking back what waits, and what was written before."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from palaver_tui.actions.composer import Writing
from palaver_tui.state.reduce import user_text
from palaver_tui.widgets.composer import Composer


class Recalling(Writing):
    """Brings earlier texts into the composer; what is being written is never replaced."""

    _recalled = 0  # how many messages back the composer shows one; 0: it shows none

    def _history(self) -> list[str]:
        """Return what was written in this chat, also what was put aside, oldest first.

        Without repetitions in a row.
        """
        view = self.session.view
        said = [(one.created_at, user_text(one)) for one in view.messages if one.role == "user"]
        aside = [(one.at, one.text) for one in self._asides.get(self.session.current, [])]
        texts = (text for _, text in sorted([*said, *aside], key=itemgetter(0)))
        return [text for text, _ in groupby(texts) if text]

    def _browsing(self, composer: Composer) -> bool:
        """Say whether the composer shows a message of the history, as it was."""
        history = self._history()
        back = self._recalled
        return 0 < back <= len(history) and composer.text == history[-back]

    def do_composer_recall(self) -> None:
        """In an empty composer, take back what waits, or else repeat; else move the cursor."""
        if self.move_command(-1):
            return
        composer = self.main.query_one(Composer)
        browsing = self._browsing(composer)
        at_top = not composer.text or (browsing and composer.cursor_location[0] == 0)
        if not at_top or self.editing is not None:
            composer.action_cursor_up()
        elif not browsing and self._take_back(composer):
            self._recalled = 0
        else:
            self._show(composer, (self._recalled if browsing else 0) + 1)

    def do_composer_newer(self) -> None:
        """Where an earlier message is shown, show the next one; else move the cursor."""
        if self.move_command(1):
            return
        composer = self.main.query_one(Composer)
        last_row = composer.document.line_count - 1
        if self._browsing(composer) and composer.cursor_location[0] == last_row:
            self._show(composer, self._recalled - 1)
        else:
            composer.action_cursor_down()

    def _show(self, composer: Composer, back: int) -> None:
        """Show the message that is `back` messages back; 0 is the empty composer."""
        history = self._history()
        if back <= len(history):
            self._recalled = back
            composer.load_text(history[-back] if back else "")
            composer.move_cursor(composer.document.end)

    def _take_back(self, composer: Composer) -> bool:
        """Take back a message that was not sent, or edit the last one that is queued."""
        session = self.session
        for item in reversed(session.view.outgoing):
            if item.state in {"refused", "waiting"}:
                composer.load_text(session.outbox.take_back(session.current, item.key))
                composer.move_cursor(composer.document.end)
                return True
        if session.view.queue:
            self.begin_edit(session.view.queue[-1])
            return True
        return False
