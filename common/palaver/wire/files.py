"""Files that clients send."""

from __future__ import annotations

from typing import Annotated, Final, get_args

import msgspec
from msgspec import Meta

from palaver.wire.messages import MediaType

MEDIA_TYPES: Final[frozenset[str]] = frozenset(get_args(MediaType))
FILE_LIMIT: Final = 10 * 1024 * 1024  # bytes; providers take pictures and documents of this size
FileName = Annotated[str, Meta(min_length=1, max_length=200)]


class StoredFile(msgspec.Struct, frozen=True):
    """A file that was sent. Its type was recognised from its content; `size` is in bytes."""

    id: str
    name: str
    media_type: MediaType
    size: int
    sha256: str


class SendFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name with which a file is shown and saved."""

    name: FileName
