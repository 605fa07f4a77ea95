"""Encode and decode JSON columns and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from palaver.wire.chats import RetryInfo
from palaver.wire.errors import ChatError
from palaver.wire.messages import File, Part, Text
from palaver.wire.questions import Asks

T = TypeVar("T")

# Incremented when the form of stored parts changes; readers know every older version.
CONTENT_VERSION = 1
# Integer arithmetic: a float would round the last moment of the year 9999 up.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

_encoder = msgspec.json.Encoder()
_parts = msgspec.json.Decoder(list[Part])
_part: msgspec.json.Decoder[Part] = msgspec.json.Decoder(Part)
_raw_parts = msgspec.json.Decoder(list[msgspec.Raw])
UNREADABLE = "[This part of the message cannot be read by this version of Palaver.]"


def dumps(value: object) -> str:
    """Encode a value for a JSON column."""
    return _encoder.encode(value).decode()


def dumps_optional(value: object | None) -> str | None:
    """Encode a value for a nullable JSON column."""
    return None if value is None else dumps(value)


def loads(text: str | None, kind: type[T]) -> T | None:
    """Decode a nullable JSON column.

    Raises:
        msgspec.ValidationError: the column has another type.
    """
    return None if text is None else msgspec.json.decode(text, type=kind)


def load_parts(text: str) -> list[Part]:
    """Decode the parts of a message.

    A part of a newer version, or a damaged one, becomes a sentence that says so: it must not
    prevent a chat from being shown, stopped or continued.
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


def load_files(text: str | None) -> list[File]:
    """Decode the files of a queued message; those that this version cannot read are left out."""
    parts = load_parts(text) if text is not None else []
    return [part for part in parts if isinstance(part, File)]


def parts_are_readable(text: str) -> bool:
    """Return whether `load_parts` can decode every part."""
    try:
        _parts.decode(text)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return False
    return True


def load_error(text: str | None) -> ChatError | None:
    """Decode a stored error.

    An older version stored a plain sentence, a newer one may have other kinds: both are `generic`.
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
    """Decode a stored retry. An older version's plain sentence is a wait that is over."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=RetryInfo)
    except (msgspec.ValidationError, msgspec.DecodeError):
        error = load_error(text)
        assert error is not None
        return RetryInfo(attempt=0, max_attempts=0, delay_ms=0, retrying_at=from_ms(0), error=error)


def load_asks(text: str | None) -> Asks | None:
    """Decode the summary of what a chat asks; None if it is another version's."""
    try:
        return loads(text, Asks)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None


def to_ms(moment: datetime) -> int:
    """Return an aware time as milliseconds since the epoch."""
    return (moment - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """Return milliseconds since the epoch as an aware time in UTC."""
    return _EPOCH + ms * _MS


def from_ms_optional(ms: int | None) -> datetime | None:
    """Return a nullable time."""
    return None if ms is None else from_ms(ms)
