"""Decode newline-delimited JSON: Ollama's own protocol, and event streams without their framing."""

from __future__ import annotations

import re

from palaverd.providers.lenient import parse
from palaverd.providers.sse import EventTooLongError, ServerEvent

_LINE_END = re.compile(rb"[\r\n]")
_NO_SPACE = re.compile(rb"\S")


class FirstLine:
    """Tells whether a body that begins with `{` is lines of objects or one JSON answer.

    One answer may have line breaks inside or after it. So a body is lines once its first line is a
    whole object and the next one begins with `{`.
    """

    def __init__(self) -> None:
        self._searched = 0  # bytes that need no second look, so that many chunks cost no more
        self._end: int | None = None

    def is_followed(self, held: bytearray) -> bool | None:
        """Return True for lines, False for one answer, None while `held` allows both.

        `held` is the body so far, from its `{` on; only its end may have changed since last time.
        """
        if self._end is None and (found := _LINE_END.search(held, self._searched)):
            self._end = self._searched = found.start()
        more = None if self._end is None else _NO_SPACE.search(held, self._searched)
        if self._end is None or more is None:
            self._searched = len(held)
            return None
        return more[0] == b"{" and _is_json(bytes(held[: self._end]))


class JsonLineDecoder:
    """Decodes chunks to events, one per line; `flush` returns a last line without its line end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line: list[bytes] = []  # pieces of an incomplete line
        self._line_size = 0

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that `chunk` completes.

        Raises:
            EventTooLongError: a line is longer than the limit.
        """
        *lines, rest = _LINE_END.split(chunk)
        if lines:
            lines[0] = b"".join((*self._line, lines[0]))
            self._line.clear()
            self._line_size = 0
        self._line.append(rest)
        self._line_size += len(rest)
        if max(self._line_size, *map(len, lines), 0) > self._limit:
            self._line.clear()  # so that `flush` returns nothing
            raise EventTooLongError(self._limit)
        # A server may write a line of its own between those of a gateway, which have a field name.
        data = (line.strip().removeprefix(b"data:").lstrip() for line in lines)
        return [ServerEvent(b"", one) for one in data if one]

    def flush(self) -> list[ServerEvent]:
        """Return the last line. The reader must distinguish half an event from a whole one."""
        return self.feed(b"\n")


def _is_json(line: bytes) -> bool:
    try:
        parse(line)
    except ValueError:
        return False
    return True
