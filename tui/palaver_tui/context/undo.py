"""Undo of actions, and of what was typed after them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

import msgspec

from palaver_tui.context.notices import Notices
from palaver_tui.timing import UNDO_NOTICE_S
from palaver_tui.widgets.composer import Composer

Failed = Callable[[], None]
Undo = Callable[[Failed], None]  # undoes an action; calls its argument if nothing was undone


class Undoable(NamedTuple):
    """A function that undoes an action, the composer's edit count at that time, and the notice."""

    undo: Undo
    edits: int
    words: str


class UndoStack:
    """The actions that can be undone, the last one first."""

    def __init__(self, composer: Composer, notices: Notices) -> None:
        self._composer = composer
        self._notices = notices
        self._stack: list[Undoable] = []

    def offer(self, undo: Undo, words: str) -> None:
        """Push `undo` and show the notice `words`. Text typed afterwards is undone before it.

        If `undo` fails, possibly later, it can be tried again.
        """
        self._stack.append(Undoable(undo, self._composer.edits, words))
        self._notices.say(words, seconds=UNDO_NOTICE_S)

    def take_back(self) -> None:
        """Undo the last action, or what was typed after it."""
        composer = self._composer
        edits = self._stack[-1].edits if self._stack else -1
        if composer.has_focus and composer.edits != edits:
            before = composer.text
            composer.undo()
            if composer.text != before:
                return
        if self._stack:
            taken_back = self._stack.pop()
            self._notices.withdraw(taken_back.words)
            # Others may have been pushed, or popped, when it fails.
            taken_back.undo(partial(self._stack.insert, len(self._stack), taken_back))
        else:
            self._notices.say("There is nothing to take back.")


class TextAside(msgspec.Struct, frozen=True):
    """A text removed from a queue, or from the composer at the end of an edit.

    `at` is when it was written.
    """

    at: datetime
    text: str


class TextsAside:
    """Removed texts by chat, which the composer can recall."""

    def __init__(self) -> None:
        self._texts: dict[str, list[TextAside]] = {}

    def add(self, chat: str, aside: TextAside) -> None:
        """Add a text of the chat `chat`."""
        self._texts.setdefault(chat, []).append(aside)

    def remove(self, chat: str, aside: TextAside) -> None:
        """Remove a text that was put back."""
        self._texts[chat] = [one for one in self.of(chat) if one is not aside]

    def of(self, chat: str) -> list[TextAside]:
        """Return the texts of a chat, in the order of their removal."""
        return self._texts.get(chat, [])

    def everything(self) -> list[str]:
        """Return the texts of all chats."""
        return [one.text for texts in self._texts.values() for one in texts]
