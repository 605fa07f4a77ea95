"""Reads an event that the protocol's own types do not cover."""

from __future__ import annotations

from typing import Any

import msgspec


class LooseDelta(msgspec.Struct):
    """A delta of any type."""

    type: str = ""


class LooseEvent(msgspec.Struct):
    """What can be said of any event: its type, and whether it is an error."""

    type: str = ""
    delta: LooseDelta | str | None = None
    error: Any = None
    message: Any = None


_DECODER: msgspec.json.Decoder[LooseEvent] = msgspec.json.Decoder(LooseEvent)


def loose(data: bytes) -> LooseEvent:
    """Decode an event as far as can be.

    Raises:
        msgspec.DecodeError: it is no JSON object.
    """
    return _DECODER.decode(data)
