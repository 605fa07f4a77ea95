"""What layout produces: lines of spans that name their look instead of having colours.

A theme turns a `Face` into colours much later, so that a change of theme lays nothing out again.
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
    """How a span looks, in words. `link` is where it leads, if anywhere.

    `trace` is 0 on screen. In a layout made to find out where characters come from it names the
    run of source characters that the span shows (`tracing.py`).

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
    """A run of characters with one look. Never holds a control character."""

    text: str
    face: Face = PLAIN


class Line(NamedTuple):
    """One screen line. `fill` colours it from column `inset` to the right edge of all text.

    `hanging` is the mark of an item that has no room for it: it stands in the margin of what is
    around the item, once that is drawn.
    """

    spans: tuple[Span, ...] = ()
    fill: Paper = ""
    inset: int = 0
    hanging: Span | None = None

    @property
    def text(self) -> str:
        """The characters alone."""
        return "".join(span.text for span in self.spans)

    def after(self, margin: Span) -> Line:
        """Return the line with `margin`, in narrow characters, before what it fills."""
        return Line((margin, *self.spans), self.fill, self.inset + len(margin.text))


BLANK = Line()
FOREVER = 1 << 60  # lines below everything, characters behind every line
