"""Styles of faces in a palette, and the palettes as themes of Textual."""

from __future__ import annotations

from functools import lru_cache

from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from palaver_tui.text.spans import Face, Ink, Paper
from palaver_tui.themes.palettes import Palette


def theme(palette: Palette) -> Theme:
    """Return the Textual theme of `palette`."""
    # Variables that Textual's own styles need for a terminal with its own colours.
    builtin = BUILTIN_THEMES["ansi-dark" if palette.dark else "ansi-light"]
    terminals = builtin.variables if palette.own else {}
    return Theme(
        name=palette.name,
        dark=palette.dark,
        ansi=palette.own,
        primary=palette.accent,
        secondary=palette.muted,
        accent=palette.accent,
        foreground=palette.text,
        background=palette.background,
        surface=palette.surface,
        panel=palette.panel,
        boost=palette.raised,
        success=palette.success,
        warning=palette.warning,
        error=palette.error,
        variables={
            **terminals,
            "palaver-border": palette.border,
            "palaver-muted": palette.muted,
            "palaver-faint": palette.faint,
            "palaver-raised": palette.raised,
            "scrollbar": palette.border,
            "scrollbar-hover": palette.faint,
            "scrollbar-active": palette.accent,
            "scrollbar-background": palette.background,
            "scrollbar-background-hover": palette.background,
            "scrollbar-background-active": palette.background,
            "scrollbar-corner-color": palette.background,
        },
    )


def _inks(palette: Palette) -> dict[Ink, str]:
    text, keyword, string, number, comment, name, kind = palette.code
    return {
        "text": palette.text,
        "muted": palette.muted,
        "faint": palette.faint,
        "accent": palette.accent,
        "user": palette.accent,
        "agent": palette.text,
        "heading": palette.text,
        "link": palette.accent,
        "code": text,
        "code_tag": palette.faint,
        "code_keyword": keyword,
        "code_string": string,
        "code_number": number,
        "code_comment": comment,
        "code_name": name,
        "code_type": kind,
        "rule": palette.border,
        "success": palette.success,
        "warning": palette.warning,
        "error": palette.error,
    }


def _papers(palette: Palette) -> dict[Paper, str]:
    return {
        "": palette.background,
        "code": palette.panel,
        "inline_code": palette.panel,
        "user": palette.surface,
        "selected": palette.raised,
        "added": palette.added,
        "removed": palette.removed,
    }


def pixel_style(pixels: tuple[int, int], palette: Palette) -> Style:
    """Return the style of a half block with these pixels over the background.

    Not cached: there are as many as a picture has colours, and its strips are cached.
    """
    behind = Color.parse(palette.background)
    upper, lower = (behind.blend(_colour(pixel), (pixel & 0xFF) / 255) for pixel in pixels)
    return Style(color=upper.rich_color, bgcolor=lower.rich_color)


def _colour(pixel: int) -> Color:
    return Color(pixel >> 24, pixel >> 16 & 0xFF, pixel >> 8 & 0xFF)


@lru_cache(maxsize=4096)
def style_of(face: Face, palette: Palette) -> Style:
    """Return the style of `face` in `palette`. A link is metadata, never an escape sequence."""
    if palette.own:
        return _own_style(face, palette)
    meta = {"link": face.link} if face.link else None
    return Style(
        color=_inks(palette)[face.ink],
        bgcolor=_papers(palette)[face.paper],
        bold=face.bold,
        italic=face.italic,
        underline=face.underline,
        strike=face.strike,
        meta=meta,
    )


# Inks for added and removed lines, in place of their papers.
_SAYS: dict[Paper, Ink] = {"added": "success", "removed": "error"}
_QUIET: frozenset[Ink] = frozenset({"muted", "faint", "rule", "code_tag", "code_comment"})


def _own_style(face: Face, palette: Palette) -> Style:
    """Return the style of `face` on the terminal's own background: inks and attributes only."""
    picked = face.paper == "selected"
    ink = face.ink if face.ink in _QUIET else _SAYS.get(face.paper, face.ink)
    own = _inks(palette)[ink]
    # A reversed colour is a background: whether text on it can be read is unknown.
    colour = None if picked or own == "ansi_default" else Color.parse(own).rich_color
    return Style(
        color=colour,
        bold=face.bold or face.paper == "inline_code",  # as manuals print literal text
        italic=face.italic,
        underline=face.underline,
        strike=face.strike,
        dim=ink in _QUIET and not picked,
        reverse=picked,
        meta={"link": face.link} if face.link else None,
    )
