"""Read a file of a workspace as text, whatever the file is."""

from __future__ import annotations

import codecs
import os
import stat
import unicodedata
from contextlib import suppress

import msgspec

from palaverd.tools.failures import ToolError
from palaverd.tools.workspace import Place, Workspace

# Bytes. A source file has tens of thousands; a larger one is searched, not read.
LARGEST = 8 * 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Content(msgspec.Struct, frozen=True):
    """A file's bytes, its path from the root, and its permissions (as of stat)."""

    path: str
    data: bytes
    mode: int


def read_whole(workspace: Workspace, path: str) -> Content:
    """Return a regular file of at most `LARGEST` bytes.

    Raises:
        ToolError: there is none, it is something else or too large, or it cannot be read.
    """
    with workspace.place(path) as place:
        try:
            descriptor = os.open(place.name, _FLAGS, dir_fd=place.directory)
        except FileNotFoundError:
            raise ToolError(_missing(place)) from None
        except OSError as error:
            raise ToolError(f"{place.path} cannot be opened: {error.strerror}.") from None
        try:
            found = os.fstat(descriptor)
            _check(place.path, found)
            data = _all_of(descriptor)
        except OSError as error:
            raise ToolError(f"{place.path} cannot be read: {error.strerror}.") from None
        finally:
            os.close(descriptor)
        if len(data) > LARGEST:
            raise ToolError(f"{place.path} grew beyond {LARGEST:,} bytes while it was read.")
        return Content(place.path, data, stat.S_IMODE(found.st_mode))


def _missing(place: Place) -> str:
    """Return what to say of a file that does not exist: a name that looks the same is named."""
    wanted = _look(place.name)
    try:
        with os.scandir(place.directory) as found:
            alike = sorted(one.name for one in found if _look(one.name) == wanted)
    except OSError:
        alike = []
    if not alike:
        return f"There is no file {place.path}."
    folder = place.path.removesuffix(place.name)
    names = ", ".join(f"{folder}{name} ({name!a})" for name in alike)
    return f"There is no file {place.path} ({place.name!a}). There is {names}."


def _look(name: str) -> str:
    """Return a name without what keeps names apart that look alike: case, and Unicode's forms."""
    return unicodedata.normalize("NFKC", name).casefold()


def _check(path: str, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise ToolError(f"{path} is a directory: list_files shows what is in it.")
    if not stat.S_ISREG(found.st_mode):
        raise ToolError(f"{path} is no regular file.")
    if found.st_size > LARGEST:
        raise ToolError(
            f"{path} has {found.st_size:,} bytes, and at most {LARGEST:,} are read: search_files "
            "finds lines in it, execute can show a part."
        )


def _all_of(descriptor: int) -> bytes:
    """Return what is in an open file, at most one byte more than `LARGEST`."""
    pieces: list[bytes] = []
    left = LARGEST + 1
    while left and (piece := os.read(descriptor, left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


class Encoding(msgspec.Struct, frozen=True):
    """How a text is encoded: its mark, which may be empty, and Python's name of the code."""

    mark: bytes
    code: str

    def encoded(self, text: str) -> bytes:
        """Return text in this encoding; what it cannot have becomes a question mark."""
        return self.mark + text.encode(self.code, "replace")


UTF_8 = Encoding(b"", "utf-8")
_MARKED = (
    Encoding(codecs.BOM_UTF8, "utf-8"),
    Encoding(codecs.BOM_UTF16_LE, "utf-16-le"),
    Encoding(codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Binary(ToolError):
    """A file is no text."""

    def __init__(self, path: str, size: int) -> None:
        super().__init__(
            f"{path} is binary ({size:,} bytes), not text: execute can look at it with a program "
            "that knows its format."
        )


def text_of(path: str, data: bytes) -> tuple[str, Encoding]:
    """Return a file's text, and how it is encoded: UTF-8, or UTF-16 with its mark.

    Raises:
        Binary: it is no text.
    """
    encoding = next((one for one in _MARKED if data.startswith(one.mark)), UTF_8)
    body = data[len(encoding.mark) :]
    if not (encoding.code == "utf-8" and b"\0" in body):
        with suppress(UnicodeDecodeError):
            return body.decode(encoding.code), encoding
    raise Binary(path, len(data))
