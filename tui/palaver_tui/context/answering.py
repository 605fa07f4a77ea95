"""The question that is answered: whether keys answer it, and what written words are for."""

from __future__ import annotations

from typing import NamedTuple

from palaver.clock import Clock
from palaver_tui.state.key_guard import KeyGuard


class _Purpose(NamedTuple):
    """What words in the composer are for: a message to a chat, or the answer to a question."""

    chat: str
    call_id: str | None = None


class Answering:
    """Words are sent as what they were begun for: as a message, or as the answer to a question.

    If a question came up since, or is gone, Enter says so once before it sends them. `sent` is the
    question whose answer is on its way.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard = KeyGuard()
        self._shown = _Purpose("")  # what is drawn
        self._words: _Purpose | None = None
        self._offered: _Purpose | None = None
        self.sent: str | None = None

    @property
    def ready(self) -> bool:
        """Whether keys may answer the question that is drawn."""
        return self._guard.ready(self._clock.monotonic())

    @property
    def waits(self) -> bool:
        """Whether a question is drawn that could not be answered by keys yet."""
        return self._shown.call_id is not None and self._offered != self._shown

    def show(self, chat: str, call_id: str | None) -> None:
        """Record what is drawn now: a chat, and the question that it asks or None."""
        self._shown = _Purpose(chat, call_id)
        name = None if call_id is None else f"{chat} {call_id}"
        self._guard.show(name, self._clock.monotonic())
        if self.sent != call_id:
            self.sent = None

    def shows(self, chat: str, call_id: str) -> bool:
        """Return whether that question is drawn, so that the person has seen it."""
        return self._shown == (chat, call_id)

    def key(self) -> None:
        """Record a key that is about to be handled."""
        self._guard.key(self._clock.monotonic())

    def becomes_ready(self) -> bool:
        """Return True once for each question: when keys may answer it."""
        if not self.waits or not self.ready:
            return False
        self._offered = self._shown
        return True

    def wrote(self, chat: str, text: str) -> None:
        """Record the composer's text."""
        if not text.strip():
            self._words = None
        elif self._words is None or self._words.chat != chat:
            is_answer = self._shown.chat == chat and self.ready
            self._words = _Purpose(chat, self._shown.call_id if is_answer else None)

    def are_for(self, chat: str, call_id: str | None) -> bool:
        """Return whether the written words are for this question, or with None for a message.

        Words that were written just now, before this was told of them, are if the question is seen.
        """
        if self._words is None or self._words.chat != chat:
            return call_id is None or (self.ready and self.shows(chat, call_id))
        return self._words.call_id == call_id

    def use_for(self, chat: str, call_id: str | None) -> None:
        """Use the written words for this question, or for a message: the person was told so."""
        self._words = _Purpose(chat, call_id)
