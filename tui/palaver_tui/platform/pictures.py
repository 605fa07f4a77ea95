"""Decoding untrusted pictures, and storing them for the system's viewer.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import hashlib
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from palaver.wire.messages import Picture, PictureType
from palaver_tui.text.half_blocks import Grid, Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

# A decoded picture takes four bytes per pixel: 100 MB at this size, which is larger than any
# screen. It is below Pillow's limit for a decompression bomb.
MOST_PIXELS: Final = 25_000_000
# Number of stored pictures for the viewer; at most one MiB each.
KEPT_FILES: Final = 20

# By media type: Pillow's name of the format, and the extension, by which a viewer chooses.
_FORMATS: Final[dict[PictureType, tuple[str, str]]] = {
    "image/png": ("PNG", ".png"),
    "image/jpeg": ("JPEG", ".jpg"),
    "image/gif": ("GIF", ".gif"),
    "image/webp": ("WEBP", ".webp"),
}
# What Pillow's readers raise for broken files; its own errors are `OSError`s.
_BROKEN: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    EOFError,
    struct.error,
    zlib.error,
    Warning,
)


class UnreadablePictureError(Exception):
    """The bytes do not match the declared type or size, or the picture is too large.

    `reason` says what is wrong.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def pixels_of(picture: Picture, grid: Grid) -> Pixels:
    """Return a picture's pixels scaled to `grid`; of an animation, those of the first frame.

    Raises:
        UnreadablePictureError: it cannot be decoded, or its size is too large or not as declared.
    """
    from PIL.Image import Resampling

    with _opened(picture) as image:
        image.draft("RGB", (grid.columns * 2, grid.pixel_rows * 2))  # JPEG can skip detail
        shown = image.convert("RGBA").resize(grid, Resampling.HAMMING, reducing_gap=2.0)
        return Pixels(grid, shown.tobytes())


def store(picture: Picture, folder: Path) -> Path:
    """Write a picture to a file in `folder` that only the user can read; return its path.

    The extension is that of its checked type, so that a viewer opens it as nothing else. The newest
    `KEPT_FILES` files are kept.

    Raises:
        UnreadablePictureError: it cannot be decoded, and is not stored.
        OSError: it cannot be written.
    """
    with _opened(picture) as image:
        image.load()
    name = hashlib.sha256(picture.data).hexdigest()[:32]
    path = folder / f"{name}{_FORMATS[picture.media_type][1]}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = folder / f"{name}.{os.getpid()}.tmp"
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(picture.data)
    temporary.replace(path)
    stored = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    for old in stored[:-KEPT_FILES]:
        old.unlink(missing_ok=True)
    return path


@contextmanager
def _opened(picture: Picture) -> Iterator[Image]:
    """Open a picture with the reader of its declared type, and no other."""
    # Imported here: most chats have no picture, and importing Pillow takes longer than a frame.
    from PIL import Image

    # As an error: a warning would be written to stderr, across the screen.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    kind, _extension = _FORMATS[picture.media_type]
    try:
        with Image.open(BytesIO(picture.data), formats=[kind]) as image:
            if image.size != (picture.width, picture.height):
                raise UnreadablePictureError("it has another size than it is said to have")
            if image.width * image.height > MOST_PIXELS:
                raise UnreadablePictureError(f"it has over {MOST_PIXELS // 1_000_000} megapixels")
            yield image
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise UnreadablePictureError(f"it is no {picture.kind} that can be read") from error
