"""Taking back what was done last."""

from __future__ import annotations

from collections.abc import Callable

from palaver_tui.doing.base import Base
from palaver_tui.widgets.composer import Composer


class Undoing(Base):
    """One key takes back what came last: an action that can be, or what was typed after it."""

    # What takes an action back, and how often the composer had been edited by then.
    _undoable: list[tuple[Callable[[], None], int]]

    def offer_undo(self, undo: Callable[[], None]) -> None:
        """Let ^z run `undo`, once what is typed from now on was undone."""
        self._undoable.append((undo, self.main.query_one(Composer).edits))

    def do_app_undo(self) -> None:
        """Take back what came last."""
        composer = self.main.query_one(Composer)
        edits = self._undoable[-1][1] if self._undoable else -1
        if composer.has_focus and composer.edits != edits:
            before = composer.text
            composer.undo()
            if composer.text != before:
                return
        if self._undoable:
            undo, _ = self._undoable.pop()
            undo()
        else:
            self.say("There is nothing to take back.")
