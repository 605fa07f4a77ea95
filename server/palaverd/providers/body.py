"""The body of a success: an event stream, one whole answer, or something else, whatever it says.

Servers and gateways send streams without a content type or with a wrong one, and whole answers to
those who asked for a stream. So what the body begins with decides.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from palaverd.failures.signals import MAX_BODY_BYTES
from palaverd.providers.dialect import Dialect
from palaverd.providers.errors import MalformedEventError, NotAStreamError, StreamEndedError
from palaverd.providers.neutral import ModelEvent
from palaverd.providers.sse import EventTooLongError, ServerEvent, SseDecoder

Form = Literal["stream", "json", "page"]

# How a line of an event stream begins.
_FIELDS = (b"data:", b"event:", b":", b"id:", b"retry:")
_BOM = b"\xef\xbb\xbf"
# A server that heeds no `stream` may send blanks until it has its answer.
_MOST_OPEN = 8 * 1024


class Body:
    """Takes the chunks of a body, gives events; `finish` reads what is no stream.

    `content_type` is the response's header, `limit` the most bytes of an event or whole answer.
    """

    def __init__(self, content_type: str, limit: int) -> None:
        self._content_type = content_type
        self._declared = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        self._limit = limit
        self._decoder = SseDecoder(limit)
        self._form: Form | None = None
        self._held = bytearray()  # all of it, unless it is a stream

    @property
    def is_page(self) -> bool:
        """Whether enough came to know that it is no answer: reading on is of no use."""
        return self._form == "page" and len(self._held) > MAX_BODY_BYTES

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that a chunk completes.

        Raises:
            EventTooLongError: an event, or a whole answer, outgrew the limit.
        """
        if self._form == "stream":
            return self._decoder.feed(chunk)
        self._held += chunk
        if self._form is None:
            self._form = self._form_of(self._held)
            if self._form == "stream":
                return self._decoder.feed(bytes(self._held))
        if len(self._held) > self._limit:
            raise EventTooLongError(self._limit)
        return []

    def flush(self) -> list[ServerEvent]:
        """Return the event that the end of the body left without its blank line."""
        return self._decoder.flush() if self._form == "stream" else []

    def finish(self, dialect: Dialect, out: list[ModelEvent]) -> None:
        """Judge the answer when the body is over.

        Raises:
            NotAStreamError: it is no answer of a model.
            StreamEndedError, ...: as `Dialect.over` and `Dialect.answer`.
        """
        body = bytes(self._held)
        if self._form == "stream" or (not body.strip() and self._may_be_empty()):
            dialect.over(out)
        elif self._form != "json" or not self._answer(dialect, body, out):
            raise NotAStreamError(self._content_type, _beginning(body))

    def _answer(self, dialect: Dialect, body: bytes, out: list[ModelEvent]) -> bool:
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) > 1 and all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
            # An event stream without its frame: one JSON object in each line.
            dialect.decode_all((ServerEvent(b"", line) for line in lines), out)
            dialect.over(out)
            return True
        try:
            return dialect.answer(body.strip().removeprefix(_BOM), out)
        except MalformedEventError:
            if _is_cut(body):
                raise StreamEndedError from None
            raise

    def _may_be_empty(self) -> bool:
        """Say whether an empty body is an answer that broke off, rather than another server's."""
        kind = self._content_type.partition(";")[0].strip().lower()
        return self._declared or not kind or kind.endswith("json")

    def _form_of(self, held: bytearray) -> Form | None:
        """Return what a body is that begins so; None while that is open."""
        text = bytes(held[:_MOST_OPEN]).removeprefix(_BOM).lstrip()
        if text.startswith((b"{", b"[")):
            return "json"
        if text.startswith(b"<"):
            return "page"
        if self._declared or any(line.startswith(_FIELDS) for line in text.splitlines()):
            return "stream" if text else None
        return None if len(held) < _MOST_OPEN else "page"


def _beginning(body: bytes) -> dict[str, str]:
    """Return a body as the words that it is: it reports no error, whatever fields it has."""
    text = body.decode("utf-8", "replace") if len(body) <= MAX_BODY_BYTES else ""
    return {"message": text}


def _is_cut(body: bytes) -> bool:
    """Say whether JSON lacks its end, and nothing else."""
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except (UnicodeDecodeError, RecursionError):
        pass
    return False
