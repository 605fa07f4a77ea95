"""The preface: the first line of `palaverd dial-stdio`, after any output of a shell. Pure.

A shell's start file that prints (`echo welcome` in .bashrc) prints into the same pipe: anything
before the preface is skipped.
"""

from __future__ import annotations

from typing import Final

import msgspec

# Version of the preface; what follows is HTTP/2.
PROTOCOL: Final = 1
_MARK: Final = b"palaver-stdio "
NOISE: Final = 64 * 1024  # bytes: a long message of the day is 5 KB
LINE: Final = 4 * 1024  # bytes of the line itself


class Preface(msgspec.Struct, frozen=True):
    """The remote end's version. `note` is a sentence for the user, or "".

    With `attached` its daemon ends with this connection.
    """

    version: str
    protocol: int = PROTOCOL
    attached: bool = False
    note: str = ""


class NoPrefaceError(Exception):
    """There is no preface. `said` is the last line of the output, in printable form."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def line(preface: Preface) -> bytes:
    """Return the preface as a line, after a newline that ends any earlier output."""
    return b"\n" + _MARK + msgspec.json.encode(preface) + b"\n"


class Finder:
    """Finds the preface in a stream of bytes, however it is split."""

    def __init__(self) -> None:
        self._came = bytearray()

    @property
    def noise(self) -> bytes:
        """The bytes received before a preface was found."""
        return bytes(self._came)

    def take(self, data: bytes) -> tuple[Preface, bytes] | None:
        """Return the preface and the bytes after it; None if it has not arrived yet.

        Raises:
            NoPrefaceError: too much other output arrived.
        """
        self._came += data
        begin = 0
        while (begin := self._came.find(_MARK, begin)) != -1:
            end = self._came.find(b"\n", begin, begin + LINE)
            if end == -1:
                if len(self._came) - begin < LINE:
                    return None
            elif begin == 0 or self._came[begin - 1] == ord("\n"):
                try:
                    said = bytes(self._came[begin + len(_MARK) : end])
                    preface = msgspec.json.decode(said, type=Preface)
                except msgspec.DecodeError:
                    pass  # no preface after all
                else:
                    return preface, bytes(self._came[end + 1 :])
            begin += len(_MARK)
        if len(self._came) > NOISE:
            raise NoPrefaceError(last_line(self.noise))
        return None


def last_line(noise: bytes) -> str:
    """Return the last non-empty line, truncated and without control characters."""
    for text in reversed(noise.decode(errors="replace").splitlines()):
        shown = "".join(letter for letter in text if letter.isprintable()).strip()
        if shown:
            return shown if len(shown) <= 200 else f"{shown[:199]}…"
    return ""
