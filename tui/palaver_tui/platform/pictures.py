"""Reading pictures that somebody else made, and handing them to the system's viewer.

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

# Decoded a picture takes four bytes a pixel: 100 MB at this many, which no screen shows. It is
# below the number at which Pillow speaks of a decompression bomb.
MOST_PIXELS: Final = 25_000_000
# Pictures that were opened in a viewer and are kept for it; a MiB each at most.
KEPT_FILES: Final = 20

# The name Pillow has for what a picture says it is, and the extension that a viewer goes by.
_FORMATS: Final[dict[PictureType, tuple[str, str]]] = {
    "image/png": ("PNG", ".png"),
    "image/jpeg": ("JPEG", ".jpg"),
    "image/gif": ("GIF", ".gif"),
    "image/webp": ("WEBP", ".webp"),
}
# What Pillow's readers raise over broken files, besides its own errors (which are `OSError`s).
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
    """Bytes that are not the picture they are said to be, or one that is too large. `reason`
    says what is wrong.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def pixels_of(picture: Picture, grid: Grid) -> Pixels:
    """Decode a picture, of an animation its first frame, to the size of `grid`.

    Raises:
        UnreadablePictureError: it cannot be decoded, or is not as large as it is said to be.
    """
    from PIL.Image import Resampling

    with _opened(picture) as image:
        image.draft("RGB", (grid.columns * 2, grid.pixel_rows * 2))  # JPEG can skip detail
        shown = image.convert("RGBA").resize(grid, Resampling.HAMMING, reducing_gap=2.0)
        return Pixels(grid, shown.tobytes())


def store(picture: Picture, folder: Path) -> Path:
    """Write a picture to a file of its own in `folder`, for the owner alone; return its path.

    Its type decides the extension, so a viewer opens it as nothing else.

    Raises:
        UnreadablePictureError: it cannot be decoded: it is given to nobody.
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
    """Open a picture with the one reader that its type asks for."""
    # Imported here: most chats have no picture, and the reader takes longer than a frame to load.
    from PIL import Image

    # Otherwise a line on the standard error, across the screen.
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
