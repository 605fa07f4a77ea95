"""Decode server-sent events from chunks of bytes (WHATWG HTML, 9.2.6).

Works on bytes throughout: a character split between chunks is whole again when its line ends, and
the JSON decoder validates the UTF-8.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# A whole event as models send it: its name, and one line of data.
_USUAL = re.compile(rb"(?:event: ([^\r\n]*)\n)?data: ([^\r\n]*)\n\n")
_BOM = b"\xef\xbb\xbf"


class ServerEvent(NamedTuple):
    """One event: its name (empty without one) and its data lines, joined by newlines."""

    name: bytes
    data: bytes


class EventTooLongError(ValueError):
    """One event is longer than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"one event is longer than {limit} bytes")
        self.limit = limit


class SseDecoder:
    """Decodes chunks to events; `flush` returns an event that the end of the stream cut off.

    Comments yield no event; the fields `id` and `retry` have no meaning in a model's stream and are
    dropped like unknown ones.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line: list[bytes] = []  # pieces of an incomplete line
        self._data: list[bytes] = []
        self._name = b""
        self._line_size = 0
        self._data_size = 0
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that `chunk` completes.

        Raises:
            EventTooLongError: an event is longer than the limit.
        """
        if self._first or self._line or self._data or self._name or self._after_cr:
            return self._read(chunk)
        # Between events: most chunks are one whole event, or several.
        events: list[ServerEvent] = []
        at = 0
        while usual := _USUAL.match(chunk, at):
            if len(usual[2]) > self._limit:
                raise self._too_long()
            events.append(ServerEvent(usual[1] or b"", usual[2]))
            at = usual.end()
        return events if at == len(chunk) else events + self._read(chunk[at:])

    def _read(self, chunk: bytes) -> list[ServerEvent]:
        """Read line by line; see `feed`."""
        if self._after_cr or b"\r" in chunk:
            chunk = self._unify(chunk)
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if self._line and lines:
            self._line.append(lines[0])
            lines[0] = b"".join(self._line)
            self._line = []
            self._line_size = 0
        events: list[ServerEvent] = []
        data = self._data
        for line in lines:
            if self._first:
                self._first = False
                line = line.removeprefix(_BOM)
            if line.startswith(b"data:"):
                data.append(line[6:] if line.startswith(b"data: ") else line[5:])
                self._data_size += len(line)
                if self._data_size > self._limit:
                    raise self._too_long()
            elif not line:
                if data:
                    events.append(
                        ServerEvent(self._name, data[0] if len(data) == 1 else b"\n".join(data))
                    )
                    data.clear()
                    self._data_size = 0
                self._name = b""
            elif line.startswith((b"event:", b"{")):
                self._take_other(line)
        if rest:
            self._line.append(rest)
            self._line_size += len(rest)
            if self._line_size + self._data_size > self._limit:
                raise self._too_long()
        return events

    def _take_other(self, line: bytes) -> None:
        """Read the event's name, or an object without a field name, as in some servers' errors."""
        if line.startswith(b"{"):
            self._data.append(line)
            self._data_size += len(line)
        else:
            self._name = line[6:].removeprefix(b" ")

    def flush(self) -> list[ServerEvent]:
        """Return a last event without its blank line.

        The standard drops it. The reader must distinguish half an event from a whole one.
        """
        if self._first and not self._line:
            return []
        return self.feed(b"\n\n")

    def _too_long(self) -> EventTooLongError:
        """Drop the buffers, so that `flush` returns nothing; return the error."""
        self._line.clear()
        self._data.clear()
        return EventTooLongError(self._limit)

    def _unify(self, chunk: bytes) -> bytes:
        """Convert line ends to LF. A CR at the end of a chunk may be half of a CRLF."""
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
