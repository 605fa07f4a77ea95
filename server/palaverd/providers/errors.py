"""Exceptions for broken streams, raised and classified inside `providers`."""

from __future__ import annotations

from typing import Any


class StreamEndedError(Exception):
    """The body ended, and nothing marks the answer as complete."""


class StreamFailedError(Exception):
    """The provider reported an error inside a stream. `body` is the decoded error."""

    def __init__(self, body: Any) -> None:
        super().__init__("the provider reported an error inside the stream")
        self.body = body


class FilteredError(Exception):
    """The provider finished with a content filter and without content."""


class WindowExceededError(Exception):
    """The provider finished without content because the context window is full."""


class MalformedEventError(ValueError):
    """An event violates the protocol."""


class AnswerTooLongError(ValueError):
    """An answer has more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"an answer has more than {limit} bytes")


class NotAStreamError(Exception):
    """A successful response is neither an event stream nor an answer. `body` is its beginning."""

    def __init__(self, content_type: str, body: Any) -> None:
        super().__init__(f"expected an event stream, got {content_type or 'no content type'}")
        self.body = body


# Failures that the provider reports: they count even after a finish word.
REPORTED = (StreamFailedError, FilteredError, WindowExceededError)


class NoKeyError(Exception):
    """No key is configured; no request was made."""


class BadKeyError(Exception):
    """The configured key cannot be used; no request was made. The message says why."""
