"""Taking back what was done last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from palaver_tui.actions.base import Base
from palaver_tui.timing import UNDO_NOTICE_S
from palaver_tui.widgets.composer import Composer


@dataclass(frozen=True)
class Aside:
    """A text that was taken out of a queue or of the composer; `at` is when it was written."""

    at: datetime
    text: str


class Undoable(NamedTuple):
    """What takes an action back, how often the composer had been edited by then, what was said."""

    undo: Callable[[], None]
    edits: int
    words: str


class Undoing(Base):
    """One key takes back what came last: an action that can be, or what was typed after it."""

    _undoable: list[Undoable]
    _asides: dict[str, list[Aside]]  # by chat; they are among what was written before

    def offer_undo(self, undo: Callable[[], None], words: str) -> None:
        """Let ^z run `undo`, once what is typed from now on was undone, and say so."""
        self._undoable.append(Undoable(undo, self.main.query_one(Composer).edits, words))
        self.say(words, seconds=UNDO_NOTICE_S)

    def put_aside(self, name: str, aside: Aside) -> None:
        """Keep a text of the chat `name` among what was written to it before."""
        self._asides.setdefault(name, []).append(aside)

    def take_up(self, name: str, aside: Aside) -> None:
        """Forget a text that was put aside: it is where it was before."""
        self._asides[name] = [one for one in self._asides.get(name, []) if one is not aside]

    def do_app_undo(self) -> None:
        """Take back what came last."""
        composer = self.main.query_one(Composer)
        edits = self._undoable[-1].edits if self._undoable else -1
        if composer.has_focus and composer.edits != edits:
            before = composer.text
            composer.undo()
            if composer.text != before:
                return
        if self._undoable:
            taken_back = self._undoable.pop()
            self.unsay(taken_back.words)  # it is not so any more
            taken_back.undo()
        else:
            self.say("There is nothing to take back.")
