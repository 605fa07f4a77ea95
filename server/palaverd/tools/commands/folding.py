"""What a command printed, as text: progress bars folded, colours left out, binary said. Pure."""

from __future__ import annotations

import re

# Control sequences of terminals: CSI, OSC with its end, and the two-character ones.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_=>78])")
# What is left of the C0 controls that text has no use for.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# A text has hardly any bytes that are not UTF-8; one in ten is no accident.
_MOST_INVALID = 0.1
_CUT = 6  # bytes of characters that are cut at the ends, three at each
_SHOWN_BYTES = 16


def is_binary(data: bytes) -> bool:
    """Return whether bytes are no text: they have zero bytes, or many that are not UTF-8.

    A character that is cut at either end does not count.
    """
    if b"\0" in data:
        return True
    valid = len(data.decode("utf-8", "ignore").encode())
    return len(data) - valid - _CUT > len(data) * _MOST_INVALID


def first_bytes(data: bytes) -> str:
    """Return the first bytes in hexadecimal, to recognise a format."""
    return data[:_SHOWN_BYTES].hex(" ")


def text_of(data: bytes) -> str:
    """Return bytes as text, as a terminal would show it in the end."""
    return folded(data.decode("utf-8", "replace"))


def folded(text: str) -> str:
    """Return a text without control sequences; of lines written over each other, the last."""
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if "\r" in text:
        text = "\n".join(_last(line) for line in text.split("\n"))
    return _CONTROLS.sub("", text)


def _last(line: str) -> str:
    """Return what is seen of a line with carriage returns: what was written last."""
    if "\r" not in line:
        return line
    return next((piece for piece in reversed(line.split("\r")) if piece), "")
