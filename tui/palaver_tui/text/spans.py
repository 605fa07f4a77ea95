"""Lines of styled spans, the result of a layout. A style is a `Face`, which has no colours.

A palette turns a `Face` into colours when strips are drawn: another theme needs no new layout.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Ink = Literal[
    "text",
    "muted",
    "faint",
    "accent",
    "user",
    "agent",
    "heading",
    "link",
    "code",
    "code_tag",
    "code_keyword",
    "code_string",
    "code_number",
    "code_comment",
    "code_name",
    "code_type",
    "rule",
    "success",
    "warning",
    "error",
]
# The background of a whole line or span; "" is the background of the widget.
Paper = Literal["", "code", "inline_code", "user", "selected", "added", "removed"]


class Face(NamedTuple):
    """The style of a span. `link` is the target of a link, "" if it is none.

    `trace` is 0 on screen. In a layout for tracing it is the number of the run of source
    characters that the span shows (`text/source/origins.py`).

    `pixels` are of a picture: the colours of a cell's upper and lower half, as RGBA in four bytes.
    """

    ink: Ink = "text"
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    paper: Paper = ""
    link: str = ""
    trace: int = 0
    pixels: tuple[int, int] | None = None


PLAIN = Face()


class Span(NamedTuple):
    """Characters in one face. Has no control characters."""

    text: str
    face: Face = PLAIN


class Line(NamedTuple):
    """One screen line. `fill` is its background from column `inset` to the right edge of the text.

    `hanging` is the mark of an item that has no room for it: `set_in` puts it into the margin of
    the container around the item.
    """

    spans: tuple[Span, ...] = ()
    fill: Paper = ""
    inset: int = 0
    hanging: Span | None = None

    @property
    def text(self) -> str:
        """The characters without faces."""
        return "".join(span.text for span in self.spans)

    def after(self, margin: Span) -> Line:
        """Return the line with `margin`, in narrow characters, before it and outside its fill."""
        return Line((margin, *self.spans), self.fill, self.inset + len(margin.text))


BLANK = Line()
FOREVER = 1 << 60  # a line number below every line, an offset behind every character
