"""The text of an answer for an output that cannot be changed after it was written."""

from __future__ import annotations

from palaver.wire.events import MessagePartEvent

BREAK = "\n\n"


class AnswerText:
    """Converts live output and committed messages to text to append.

    The events are those of `Client.stream`: no live output among them is late or comes twice. The
    output of a failed attempt stays written. The next attempt's text is compared with it: as
    long as it is equal nothing is written twice; where it differs the new text follows after an
    empty line. Texts that grow in turn cannot be appended: from there on the message is awaited.
    """

    def __init__(self) -> None:
        self._done: set[int] = set()
        self._written = ""  # text of the current message
        self._live = ""  # text of the current attempt
        self._block: tuple[str, int] | None = None
        self._separate = False
        self._awaits = False  # the committed message

    def part(self, part: MessagePartEvent) -> str:
        """Return the text to append for a piece of live output."""
        if part.kind != "text" or not part.delta:
            return ""
        block = (part.episode, part.block)
        if self._block is not None and block[0] == self._block[0] and block[1] < self._block[1]:
            self._awaits = True
        if self._awaits:
            return ""
        addition = BREAK + part.delta if self._live and block != self._block else part.delta
        self._block = block
        in_step = len(self._live) == len(self._written)
        self._live += addition
        return self._append(addition) if in_step else self._catch_up(self._live)

    def withdraw(self) -> None:
        """Discard the current attempt."""
        self._live, self._block, self._awaits = "", None, False

    def commit(self, number: int, text: str) -> str:
        """Return the text to append for the committed message `number`."""
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
            # A committed text that is a prefix of the written one has nothing to add.
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
