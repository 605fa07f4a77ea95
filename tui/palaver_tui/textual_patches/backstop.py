"""Filter that removes control characters from all that is drawn, if no code made them visible.

Textual writes the text of every widget as it is. Without this filter a control in a notice, a title
or an option reaches the terminal and drives it. Line filters are meant for Textual's own use.
"""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# C0, DEL, C1, line separators, and bidirectional controls. They have no width, so that all other
# text stays in its cells without them. Textual's own escape sequences are added after the filter.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")  # these have a width, and cannot be encoded


class Backstop(LineFilter):
    """A filter of controls in every line of every widget, also of Textual's own."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return `segments` without controls; a lone surrogate becomes U+FFFD."""
        return [_harmless(segment) for segment in segments]


def _harmless(segment: Segment) -> Segment:
    text = segment.text
    if text.isascii() and text.isprintable():
        return segment
    found = _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))
    return segment if found == text else Segment(found, segment.style, segment.control)
