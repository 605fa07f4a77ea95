"""Lines of a layout as strips of Textual."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.segment import Segment
from textual.app import App
from textual.strip import Strip

from palaver_tui.text.spans import PLAIN, Face, Line, Span
from palaver_tui.text.wrap import clip, width_of
from palaver_tui.themes.palettes import DARK, PALETTES, Depth, Palette
from palaver_tui.themes.themes import pixel_style, style_of

# Papers of panels. On the terminal's own background an edge replaces their first blank.
PANELS = frozenset({"code", "added", "removed"})
EDGE = "▏"
EDGE_FACE = Face("rule")


def palette_of(app: App[object]) -> Palette:
    """Return the palette of the theme in use."""
    return PALETTES.get(app.theme, DARK)


# By Rich's names. `windows` are the 16 colours of a console without escape codes.
DEPTHS: dict[str | None, Depth] = {
    "truecolor": "truecolor",
    "256": "256",
    "standard": "16",
    "windows": "16",
    None: "none",
}


def depth_of(console: Console) -> Depth:
    """Return the colour depth of a terminal, as its environment says."""
    return DEPTHS[console.color_system]


def draws_pictures(console: Console) -> bool:
    """Return whether a terminal has the colours and the characters to draw pictures with."""
    return depth_of(console) in {"truecolor", "256"} and console.encoding.startswith("utf")


def strip_of(line: Line, width: int, palette: Palette) -> Strip:
    """Return the strip of `line`, filled up to `width` cells."""
    segments = []
    used = 0
    edged = palette.own and line.fill in PANELS
    for text, face in line.spans:
        if line.fill and not face.paper and used >= line.inset:
            face = face._replace(paper=line.fill)
        if edged and used == line.inset and text.startswith(" "):
            segments.append(Segment(EDGE, style_of(EDGE_FACE, palette)))
            text, used, edged = text[1:], used + 1, False
        style = (
            style_of(face, palette) if face.pixels is None else pixel_style(face.pixels, palette)
        )
        segments.append(Segment(text, style))
        used += width_of(text)
    if used < width:
        fill = Face(paper=line.fill) if line.fill else PLAIN
        segments.append(Segment(" " * (width - used), style_of(fill, palette)))
        used = width
    return Strip(segments, used)


def row(left: Iterable[Span], right: Iterable[Span], width: int) -> Line:
    """Return one line with `left` and `right` at its ends; `left` is clipped if necessary."""
    right = tuple(right)
    room = width - sum(width_of(span.text) for span in right)
    kept, used = [], 0
    for span in left:
        text = clip(span.text, max(0, room - used - (1 if right else 0)))
        if text:
            kept.append(Span(text, span.face))
            used += width_of(text)
        if text != span.text:
            break
    return Line((*kept, Span(" " * max(0, room - used)), *right))
