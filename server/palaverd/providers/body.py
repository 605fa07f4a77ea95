"""Read the body of a successful response: a stream, one JSON answer, or something else.

A stream is server-sent events or lines of JSON objects. Servers and gateways send streams with a
wrong content type or none, and JSON answers to requests for a stream. So the beginning of the body
decides.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from palaverd.failures.signals import MAX_BODY_BYTES
from palaverd.providers.dialect import Dialect
from palaverd.providers.errors import MalformedEventError, NotAStreamError, StreamEndedError
from palaverd.providers.json_lines import FirstLine, JsonLineDecoder
from palaverd.providers.neutral import ModelEvent
from palaverd.providers.sse import EventTooLongError, ServerEvent, SseDecoder

# `object`: one JSON answer, or the first of many lines; a body that ends there is one answer.
Form = Literal["events", "lines", "object", "json", "page"]

# The extension of a response with its body as it came, if that is not compressed: without the three
# generators of httpx2 that each chunk passes otherwise.
PLAIN_BODY = "palaverd.plain_body"

# Beginnings of lines of an event stream.
_FIELDS = (b"data:", b"event:", b":", b"id:", b"retry:")
_BOM = b"\xef\xbb\xbf"
# Bytes. A server that ignores `stream` may send white space until it has its answer.
_MOST_OPEN = 8 * 1024


class Body:
    """Receives the chunks of a body, returns events; `finish` reads what is not a stream.

    `content_type` is the response's header, `limit` the most bytes of an event or JSON answer.
    """

    def __init__(self, content_type: str, limit: int) -> None:
        self._content_type = content_type
        self._media_type = content_type.partition(";")[0].strip().lower()
        self._declared = self._media_type == "text/event-stream"
        self._limit = limit
        self._decoder: SseDecoder | JsonLineDecoder | None = None  # of a stream
        self._form: Form | None = None
        self._first_line = FirstLine()
        self._held = bytearray()  # the body so far, unless it is a stream

    @property
    def is_page(self) -> bool:
        """Whether the body is known to be no answer, so that reading can stop."""
        return self._form == "page" and len(self._held) > MAX_BODY_BYTES

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that a chunk completes.

        Raises:
            EventTooLongError: an event, or a JSON answer, is longer than the limit.
        """
        if self._decoder is not None:
            return self._decoder.feed(chunk)
        self._held += chunk
        if self._form is None:
            self._form = self._form_of(self._held)
            if self._form == "object":
                del self._held[: self._held.index(b"{")]
        if self._form == "object":
            followed = self._first_line.is_followed(self._held)
            if followed is not None:
                self._form = "lines" if followed else "json"
        if self._form == "events":
            self._decoder = SseDecoder(self._limit)
        elif self._form == "lines":
            self._decoder = JsonLineDecoder(self._limit)
        if self._decoder is not None:
            return self._decoder.feed(bytes(self._held))
        if len(self._held) > self._limit:
            raise EventTooLongError(self._limit)
        return []

    def flush(self) -> list[ServerEvent]:
        """Return a last event whose end is missing."""
        return [] if self._decoder is None else self._decoder.flush()

    def finish(self, dialect: Dialect, out: list[ModelEvent]) -> None:
        """Complete the answer at the end of the body.

        Raises:
            NotAStreamError: it is no answer of a model.
            StreamEndedError, ...: as `Dialect.over` and `Dialect.answer`.
        """
        body = bytes(self._held)
        if self._decoder is not None or (not body.strip() and self._may_be_empty()):
            dialect.over(out)
        elif self._form not in ("object", "json") or not self._answer(dialect, body, out):
            raise NotAStreamError(self._content_type, _beginning(body))

    def _answer(self, dialect: Dialect, body: bytes, out: list[ModelEvent]) -> bool:
        try:
            return dialect.answer(body.strip().removeprefix(_BOM), out)
        except MalformedEventError:
            if _is_cut(body):
                raise StreamEndedError from None
            raise

    def _may_be_empty(self) -> bool:
        """Return whether an empty body is a broken answer rather than another kind of server."""
        kind = self._media_type
        return self._declared or not kind or kind.endswith(("json", "jsonl"))

    def _form_of(self, held: bytearray) -> Form | None:
        """Return the form of a body from its beginning; None until it can be known."""
        text = bytes(held[:_MOST_OPEN]).removeprefix(_BOM).lstrip()
        if text.startswith(b"{"):
            return "object"
        if text.startswith(b"["):
            return "json"
        if text.startswith(b"<"):
            return "page"
        if self._declared or any(line.startswith(_FIELDS) for line in text.splitlines()):
            return "events" if text else None
        return None if len(held) < _MOST_OPEN else "page"


def _beginning(body: bytes) -> dict[str, str]:
    """Return the body as a message only: no fields of it are read as an error."""
    text = body.decode("utf-8", "replace") if len(body) <= MAX_BODY_BYTES else ""
    return {"message": text}


def _is_cut(body: bytes) -> bool:
    """Return whether a body is truncated JSON."""
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except (UnicodeDecodeError, RecursionError):
        pass
    return False
