"""An answer as a stream of text: what was written cannot be taken back."""

from __future__ import annotations

from palaver.wire.events import MessagePartEvent

BREAK = "\n\n"


class AnswerText:
    """Turns live output and committed messages into text to append.

    A failed attempt is withdrawn and tried again. What it had written stays written, so the next
    attempt's text is compared with it: as long as it is the same nothing is written twice, and
    where it differs the new text follows after an empty line.
    """

    def __init__(self) -> None:
        self._done: set[int] = set()
        self._written = ""  # of the message that is being written
        self._live = ""  # of the present attempt
        self._block: tuple[str, int] | None = None
        self._separate = False

    def part(self, part: MessagePartEvent) -> str:
        """Return what to append for a piece of live output."""
        if part.kind != "text" or not part.delta:
            return ""
        block = (part.episode, part.block)
        addition = BREAK + part.delta if self._live and block != self._block else part.delta
        self._block = block
        in_step = len(self._live) == len(self._written)
        self._live += addition
        return self._append(addition) if in_step else self._catch_up(self._live)

    def withdraw(self) -> None:
        """Take note that the present attempt was for nothing."""
        self._live, self._block = "", None

    def commit(self, number: int, text: str) -> str:
        """Return what to append for the committed message `number`."""
        if number in self._done:
            return ""
        self._done.add(number)
        rest = self._catch_up(text)
        self._separate = self._separate or bool(text)
        self._written = ""
        self.withdraw()
        return rest

    def _catch_up(self, text: str) -> str:
        if self._written.startswith(text):
            # The same as far as it goes; a committed text that is shorter has nothing to add.
            return ""
        if text.startswith(self._written):
            return self._append(text[len(self._written) :])
        again = BREAK + text
        self._written = text
        return again

    def _append(self, addition: str) -> str:
        self._written += addition
        if self._separate:
            self._separate = False
            return BREAK + addition
        return addition
