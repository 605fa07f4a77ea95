"""The line with which `palaverd dial-stdio` begins, behind whatever a shell says before it. Pure.

A start file that prints (`echo welcome` in .bashrc) prints into the same pipe: what comes before
the line is left out.
"""

from __future__ import annotations

from typing import Final

import msgspec

# Of this line and what follows it; HTTP/2 takes care of what follows.
PROTOCOL: Final = 1
_MARK: Final = b"palaver-stdio "
NOISE: Final = 64 * 1024  # bytes: a long message of the day is 5 KB
LINE: Final = 4 * 1024  # bytes of the line itself


class Preface(msgspec.Struct, frozen=True):
    """What the other end says of itself. `note` is a sentence for the person, "" where none is.

    With `attached` its daemon ends with this connection.
    """

    version: str
    protocol: int = PROTOCOL
    attached: bool = False
    note: str = ""


class NoPrefaceError(Exception):
    """What came is something else. `said` is its last line, as far as it can be shown."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


def line(preface: Preface) -> bytes:
    """Return the line, in a line of its own whatever was said before."""
    return b"\n" + _MARK + msgspec.json.encode(preface) + b"\n"


class Finder:
    """Finds the line among what comes, however it is split."""

    def __init__(self) -> None:
        self._came = bytearray()

    @property
    def noise(self) -> bytes:
        """What came, as long as no line was found."""
        return bytes(self._came)

    def take(self, data: bytes) -> tuple[Preface, bytes] | None:
        """Return what the line says and what came behind it; None: it did not come yet.

        Raises:
            NoPrefaceError: it will not come any more.
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
                    pass  # it only looks like it
                else:
                    return preface, bytes(self._came[end + 1 :])
            begin += len(_MARK)
        if len(self._came) > NOISE:
            raise NoPrefaceError(last_line(self.noise))
        return None


def last_line(noise: bytes) -> str:
    """Return the last line that says something, short and without what drives a terminal."""
    for text in reversed(noise.decode(errors="replace").splitlines()):
        shown = "".join(letter for letter in text if letter.isprintable()).strip()
        if shown:
            return shown if len(shown) <= 200 else f"{shown[:199]}…"
    return ""
