"""A chat as JSON: one object, with a message on each line."""

from __future__ import annotations

from datetime import datetime

import msgspec

from palaver.wire.exports import (
    EXPORT_FORMAT,
    EXPORT_VERSION,
    ExportedChat,
    ExportedMessage,
    ExportHead,
)
from palaver.wire.messages import Message

_encoder = msgspec.json.Encoder()


class JsonDocument:
    """Encodes an export piece by piece."""

    def __init__(self) -> None:
        self._separator = b"\n"

    def begin(self, chat: ExportedChat, now: datetime) -> bytes:
        """Return what comes before the messages."""
        head = _encoder.encode(ExportHead(EXPORT_FORMAT, EXPORT_VERSION, now, chat))
        return head.removesuffix(b"}") + b',"messages":['

    def message(self, message: Message) -> bytes:
        """Return the next message."""
        separator, self._separator = self._separator, b",\n"
        return separator + _encoder.encode(exported(message))

    def end(self) -> bytes:
        """Return what comes after the messages."""
        return b"\n]}\n"


def exported(message: Message) -> ExportedMessage:
    """Return a message without what is valid in its chat only, such as its id."""
    assert message.visibility != "model"  # users do not see those
    return ExportedMessage(
        role=message.role,
        parts=message.parts,
        created_at=message.created_at,
        visibility=message.visibility,
        model=message.model,
        finish=message.finish,
        usage=message.usage,
        cost_micros=message.cost_micros,
        runtime_ms=message.runtime_ms,
    )
