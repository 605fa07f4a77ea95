"""Pictures for tests, valid ones and malicious ones."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from palaver.wire.messages import Picture, PictureType

FORMATS: dict[str, PictureType] = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
}


def drawn(image: Image.Image, kind: str = "PNG", **more: Any) -> Picture:
    """Return an image as the picture of a tool result."""
    file = BytesIO()
    image.save(file, kind, **more)
    return Picture(FORMATS[kind], *image.size, file.getvalue())


def chart() -> Picture:
    """Return a bar chart, large enough to be scaled down, on a transparent background."""
    image = Image.new("RGBA", (480, 240))
    pen = ImageDraw.Draw(image)
    for number, height in enumerate([60, 110, 90, 160, 210, 130]):
        left = 20 + number * 76
        colour = (40 + 35 * number, 190 - 20 * number, 180)
        pen.rectangle((left, 230 - height, left + 52, 230), colour)
    pen.line((8, 232, 472, 232), (140, 147, 164), 8)
    return drawn(image)


def png_that_says(width: int, height: int) -> bytes:
    """Return a well-formed PNG of few bytes whose header has the given size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    image = zlib.compress(bytes(100_000))
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", image) + chunk(b"IEND", b"")
