"""Cursors of pages: opaque strings for clients."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from palaverd.api.problems import BadRequest

T = TypeVar("T")


def write_cursor(cursor: msgspec.Struct | None) -> str | None:
    """Return the end of a page as a string, None if it was the last one."""
    if cursor is None:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode()


def read_cursor(text: str | None, kind: type[T]) -> T | None:
    """Return the cursor of a request.

    Raises:
        BadRequest: it is none of the strings that were given.
    """
    if text is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text), type=kind)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise BadRequest("cursor is not one that this daemon gave.", field="cursor") from None
