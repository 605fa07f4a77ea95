"""Styles of marks in the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from palaver_tui.themes.palettes import Palette
from palaver_tui.transcript.marks import ORDER, Mark, MarkKind


@lru_cache(maxsize=64)
def _style(kind: MarkKind, palette: Palette) -> Style:
    if kind == "dropped":
        # Struck out too, for users who cannot tell the colours apart.
        return Style(color=None if palette.own else palette.faint, strike=True, dim=palette.own)
    if palette.own:
        # With the terminal's own ink: reversed, each colour in a row would be another background.
        if kind in ("target", "cursor"):
            return Style(color="default", reverse=True)
        return Style(reverse=kind != "found", underline=kind == "found", bold=kind == "here")
    match kind:
        case "found":
            return Style(bgcolor=palette.found)
        case "here":
            ink = palette.background if palette.dark else palette.text
            return Style(color=ink, bgcolor=palette.found_here, bold=True)
        case "target":
            return Style(bgcolor=palette.raised, bold=True)
        case "selected":
            return Style(bgcolor=palette.selected)
        case "cursor":
            return Style(color=palette.background, bgcolor=palette.accent)


def marked(strip: Strip, marks: Iterable[Mark], palette: Palette) -> Strip:
    """Return `strip` with marked characters in the styles of their marks."""
    ordered = sorted(marks, key=lambda mark: ORDER.index(mark.kind))
    if not ordered:
        return strip
    segments: list[Segment] = []
    at = 0
    for text, style, _control in strip:
        for piece, kinds in _pieces(text, at, ordered):
            shown = style or Style()
            for kind in kinds:
                shown += _style(kind, palette)
            segments.append(Segment(piece, shown))
        at += len(text)
    return Strip(segments, strip.cell_length)


def _pieces(text: str, at: int, marks: Sequence[Mark]) -> Iterable[tuple[str, list[MarkKind]]]:
    """Yield the text, which begins at character `at`, cut at the ends of marks, with the kinds."""
    edges = {0, len(text)}
    for mark in marks:
        edges |= {edge - at for edge in (mark.start, mark.end) if 0 < edge - at < len(text)}
    ordered = sorted(edges)
    for start, end in pairwise(ordered):
        kinds = [m.kind for m in marks if m.start <= at + start and at + end <= m.end]
        yield text[start:end], kinds
