"""What stands in JSON columns, and times as the tables keep them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from palaver.wire.chats import RetryInfo
from palaver.wire.errors import ChatError
from palaver.wire.messages import Part, Text

T = TypeVar("T")

# Raised when the shape of stored parts changes; readers know every older number.
CONTENT_VERSION = 1
# Whole numbers all the way: a float would round the last moment of the year 9999 up.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

_encoder = msgspec.json.Encoder()
_parts = msgspec.json.Decoder(list[Part])
_part: msgspec.json.Decoder[Part] = msgspec.json.Decoder(Part)
_raw_parts = msgspec.json.Decoder(list[msgspec.Raw])
UNREADABLE = "[This part of the message cannot be read by this version of Palaver.]"


def dumps(value: object) -> str:
    """Write a value for a JSON column."""
    return _encoder.encode(value).decode()


def dumps_optional(value: object | None) -> str | None:
    """Write a value for a nullable JSON column."""
    return None if value is None else dumps(value)


def loads(text: str | None, kind: type[T]) -> T | None:
    """Read a nullable JSON column.

    Raises:
        msgspec.ValidationError: the column holds something else.
    """
    return None if text is None else msgspec.json.decode(text, type=kind)


def load_parts(text: str) -> list[Part]:
    """Read the parts of a message.

    A part that a newer writer left, or that is damaged, becomes a sentence that says so: one of
    them must not keep a whole chat from being shown, stopped or gone on with.
    """
    try:
        return _parts.decode(text)
    except (msgspec.ValidationError, msgspec.DecodeError):
        pass
    try:
        return [_readable(raw) for raw in _raw_parts.decode(text)]
    except (msgspec.ValidationError, msgspec.DecodeError):
        return [Text(UNREADABLE)]


def _readable(raw: msgspec.Raw) -> Part:
    try:
        return _part.decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return Text(UNREADABLE)


def parts_are_readable(text: str) -> bool:
    """Say whether `load_parts` reads every part."""
    try:
        _parts.decode(text)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return False
    return True


def load_error(text: str | None) -> ChatError | None:
    """Read a stored failure.

    An older writer left a plain sentence, a newer one knows more kinds: that is `generic`.
    """
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=ChatError)
    except (msgspec.ValidationError, msgspec.DecodeError):
        pass
    try:
        found: Any = msgspec.json.decode(text)
    except msgspec.DecodeError:
        found = text
    if isinstance(found, dict):
        found = found.get("message")
    sentence = found if isinstance(found, str) else text
    return ChatError(kind="generic", message=sentence)


def load_retry(text: str | None) -> RetryInfo | None:
    """Read a stored wait. An older writer left a plain sentence: that is a wait that is over."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=RetryInfo)
    except (msgspec.ValidationError, msgspec.DecodeError):
        error = load_error(text)
        assert error is not None
        return RetryInfo(attempt=0, max_attempts=0, delay_ms=0, retrying_at=from_ms(0), error=error)


def to_ms(moment: datetime) -> int:
    """Write an aware time as milliseconds since the epoch."""
    return (moment - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """Read milliseconds since the epoch as an aware time in UTC."""
    return _EPOCH + ms * _MS


def from_ms_optional(ms: int | None) -> datetime | None:
    """Read a nullable time."""
    return None if ms is None else from_ms(ms)
