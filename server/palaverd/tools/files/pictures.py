"""Pictures that a model is shown: their size, and whether they are small enough."""

from __future__ import annotations

from collections.abc import Callable

from palaver.wire.messages import PICTURE_BYTES, Picture, PictureType
from palaverd.tools.failures import ToolError

# Pixels. Anthropic refuses a request with a larger picture, and so every later one of the chat
# (docs.anthropic.com, vision); all three vendors scale to less than a third of it.
MOST_SIDE = 8000


def picture_of(path: str, media_type: PictureType, data: bytes) -> Picture:
    """Return a picture from its file.

    Raises:
        ToolError: it is too large, or broken; the message says what may help.
    """
    if len(data) > PICTURE_BYTES:
        raise ToolError(
            f"{path} is a picture of {len(data):,} bytes, and at most {PICTURE_BYTES:,} are shown: "
            "execute can make a smaller copy."
        )
    size = size_of(media_type, data)
    if size is None:
        raise ToolError(
            f"{path} begins as a picture ({media_type}), but has no size: it is broken."
        )
    width, height = size
    if max(size) > MOST_SIDE:
        raise ToolError(
            f"{path} is a picture of {width} x {height} pixels, and at most {MOST_SIDE} a side are "
            "shown: execute can make a smaller copy."
        )
    return Picture(media_type, width, height, data)


def size_of(media_type: PictureType, data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, as the file's header says; None if it says neither."""
    try:
        size = _SIZES[media_type](data)
    except IndexError:
        return None
    return size if size is not None and min(size) > 0 else None


def _png(data: bytes) -> tuple[int, int] | None:
    """Read IHDR, which is the first chunk (PNG specification, 11.2.2)."""
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _gif(data: bytes) -> tuple[int, int] | None:
    """Read the logical screen (GIF89a, 18)."""
    return (_little(data[6:8]), _little(data[8:10])) if len(data) >= 10 else None


def _webp(data: bytes) -> tuple[int, int] | None:
    """Read the first chunk (RFC 9649, 2.5 to 2.7)."""
    if len(data) < 30:
        return None
    match data[12:16]:
        case b"VP8 ":  # a key frame's header (RFC 6386, 9.1)
            return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
        case b"VP8L":
            bits = _little(data[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return _little(data[24:27]) + 1, _little(data[27:30]) + 1
        case _:
            return None


# Frame headers of JPEG: SOF0 to SOF15, without DHT, JPG and DAC, which share the range (T.81, B.1).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Markers without a length: TEM, RST0 to RST7, SOI.
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_END, _SCAN = 0xD9, 0xDA


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Read the first frame header, before which are segments with their lengths (T.81, B.1)."""
    at = 2
    while True:
        if data[at] != 0xFF:
            return None
        while data[at] == 0xFF:  # padding
            at += 1
        marker = data[at]
        at += 1
        if marker in _ALONE:
            continue
        if marker in (_END, _SCAN):
            return None
        if marker in _FRAMES:
            if at + 7 > len(data):
                return None
            return int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 3 : at + 5])
        at += max(2, int.from_bytes(data[at : at + 2]))


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


_SIZES: dict[PictureType, Callable[[bytes], tuple[int, int] | None]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
}
