"""Recognise the type of a file by its content."""

from __future__ import annotations

import codecs
from typing import get_args

from palaver.wire.files import MEDIA_TYPES
from palaver.wire.messages import MediaType, PictureType
from palaverd.file_folder import ReceivedFile

# Control characters that texts have: tab, line ends, form feed, and escape in output of programs.
_OF_TEXTS = frozenset(b"\t\n\r\f\x1b")
_NOT_IN_TEXT = bytes(code for code in range(0x20) if code not in _OF_TEXTS)
_PIECE = 256 * 1024


def recognise(received: ReceivedFile) -> MediaType | None:
    """Return the type of a file; None if it is none that is accepted. Reads it: call in a thread.

    What has no signature is text if it is UTF-8 without control characters. So HTML is text, which
    no browser runs.

    Raises:
        OSError: it cannot be read.
    """
    best = _signature(received.head)
    if best in MEDIA_TYPES and best != "text/plain":
        return best  # type: ignore[return-value]  # the set has what the type lists
    return "text/plain" if _is_text(received) else None


def picture_type(head: bytes) -> PictureType | None:
    """Return the type of a picture by the beginning of its file; None if it is another file."""
    best = _signature(head)
    return best if best in get_args(PictureType) else None  # type: ignore[return-value]


def _signature(head: bytes) -> str:
    """Return the media type whose signature fits best, "" without one."""
    # Imported here: it reads a table of signatures, which few daemons need.
    from puremagic import PureError, magic_string

    try:
        return str(magic_string(head)[0].mime_type) if head else ""
    except PureError:
        return ""


def _is_text(received: ReceivedFile) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with received.path.open("rb") as file:
        try:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
                if piece.translate(None, _NOT_IN_TEXT) != piece:
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
