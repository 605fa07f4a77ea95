"""The last word on what is drawn: no control gets through, whoever forgot to make it visible.

Textual writes the text of every widget as it is. Without this a control in a notice, a title or an
option reaches the terminal and drives it. Filters are Textual's own means, not meant for others.
"""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# C0, DEL, C1, what ends a line, and what changes the direction of all that follows. None of them
# has a width, so that without them everything stays in its cells. The library's own sequences are
# no text: they are made after this.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")  # these have a width, and cannot be encoded


class Backstop(LineFilter):
    """Takes controls out of every line of every widget, those of the library included."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return `segments` without them."""
        return [_harmless(segment) for segment in segments]


def _harmless(segment: Segment) -> Segment:
    text = segment.text
    if text.isascii() and text.isprintable():
        return segment
    found = _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))
    return segment if found == text else Segment(found, segment.style, segment.control)
