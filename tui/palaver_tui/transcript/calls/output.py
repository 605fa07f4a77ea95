"""Live output of a tool: only its beginning and its end are stored."""

from __future__ import annotations

HEAD = 8_192  # characters that are stored of the beginning
TAIL = 16_384  # and of the end: more than any screen shows


class Output:
    """A growing text of which a bounded part is stored."""

    def __init__(self) -> None:
        self.length = 0
        self.line_feeds = 0
        self._head = ""
        self._tail = ""

    def feed(self, text: str) -> None:
        """Append `text`."""
        self.length += len(text)
        self.line_feeds += text.count("\n")
        room = HEAD - len(self._head)
        self._head += text[:room]
        self._tail += text[room:]
        if len(self._tail) > 2 * TAIL:
            self._tail = self._tail[-TAIL:]

    @property
    def pieces(self) -> tuple[str, str, int]:
        """The beginning, the end, and the number of lines between them that are not stored."""
        if self.length <= len(self._head) + len(self._tail):
            return self._head + self._tail, "", 0
        # Both parts are cut at a line feed, as half a line would look like a whole one.
        head = self._head[: self._head.rfind("\n") + 1] or self._head
        tail = self._tail[self._tail.find("\n") + 1 :]
        return head, tail, self.line_feeds - head.count("\n") - tail.count("\n")
