"""The colours: four themes, and what each ink and paper of the layout looks like in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from palaver_tui.layout.faces import Face, Ink, Paper


@dataclass(frozen=True)
class Palette:
    """The colours of one theme. `plain` ones use the terminal's own and attributes only."""

    name: str
    dark: bool
    background: str
    surface: str
    panel: str
    raised: str
    border: str
    text: str
    muted: str
    faint: str
    accent: str
    success: str
    warning: str
    error: str
    code: tuple[str, str, str, str, str, str, str]  # text, keyword, string, number, comment, ...
    added: str  # behind a line that came, and one that went
    removed: str
    found: str  # behind what a search found, and the one that is shown
    found_here: str
    selected: str  # behind selected text
    plain: bool = False


DARK = Palette(
    name="palaver-dark",
    dark=True,
    background="#14161b",
    surface="#191c22",
    panel="#1d2129",
    raised="#272c36",
    border="#2f3540",
    text="#d6dae3",
    muted="#8b93a4",
    faint="#6b7486",
    accent="#63c7b8",
    success="#8fc08a",
    warning="#e2b765",
    error="#ee8277",
    code=("#c8cdd8", "#9fb4e8", "#a9c99c", "#dcb88a", "#7d8799", "#8fd0c6", "#c5b3e2"),
    added="#19261f",
    removed="#2b1c1e",
    found="#4a4020",
    found_here="#e2b765",
    selected="#2c4a54",
)
LIGHT = Palette(
    name="palaver-light",
    dark=False,
    background="#fbfaf8",
    surface="#f4f2ee",
    panel="#f1eeea",
    raised="#e4e0d9",
    border="#d5d0c7",
    text="#2b2e35",
    muted="#646a7a",
    faint="#7f8591",
    accent="#0b7a6d",
    success="#3d7a37",
    warning="#96650a",
    error="#b93a2e",
    code=("#33373f", "#3150a8", "#3f7430", "#95590d", "#6a707e", "#0c7267", "#71489f"),
    added="#e4f1e0",
    removed="#f8e5e1",
    found="#f3e3b3",
    found_here="#e0a92e",
    selected="#bfe0da",
)
CONTRAST = Palette(
    name="palaver-contrast",
    dark=True,
    background="#000000",
    surface="#000000",
    panel="#101010",
    raised="#303030",
    border="#b0b0b0",
    text="#ffffff",
    muted="#d8d8d8",
    faint="#b0b0b0",
    accent="#00ffe1",
    success="#7dff7d",
    warning="#ffe14d",
    error="#ff8a80",
    code=("#ffffff", "#8fd3ff", "#b8ff9e", "#ffd27f", "#c0c0c0", "#00ffe1", "#e3c4ff"),
    added="#002a00",
    removed="#3a0000",
    found="#5a4a00",
    found_here="#ffe14d",
    selected="#005f57",
)
PLAIN = Palette(
    name="palaver-plain",
    dark=True,
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    raised="ansi_default",
    border="ansi_default",
    text="ansi_default",
    muted="ansi_default",
    faint="ansi_default",
    accent="ansi_default",
    success="ansi_default",
    warning="ansi_default",
    error="ansi_default",
    code=("ansi_default",) * 7,
    added="ansi_default",
    removed="ansi_default",
    found="ansi_default",
    found_here="ansi_default",
    selected="ansi_default",
    plain=True,
)
PALETTES = {palette.name: palette for palette in (DARK, LIGHT, CONTRAST, PLAIN)}


def theme(palette: Palette) -> Theme:
    """Return the Textual theme of `palette`."""
    # What Textual's own styles want to know about a terminal with its own colours.
    terminals = BUILTIN_THEMES["ansi-dark"].variables if palette.plain else {}
    return Theme(
        name=palette.name,
        dark=palette.dark,
        ansi=palette.plain,
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
            "footer-background": palette.background,
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
    """Return the look of a half block with these pixels over the background. Not cached: they
    are as many as a picture has colours, and what is drawn with them is kept.
    """
    behind = Color.parse(palette.background)
    upper, lower = (behind.blend(_colour(pixel), (pixel & 0xFF) / 255) for pixel in pixels)
    return Style(color=upper.rich_color, bgcolor=lower.rich_color)


def _colour(pixel: int) -> Color:
    return Color(pixel >> 24, pixel >> 16 & 0xFF, pixel >> 8 & 0xFF)


@lru_cache(maxsize=4096)
def style_of(face: Face, palette: Palette) -> Style:
    """Return how `face` is drawn in `palette`. A link travels as metadata, never as an escape."""
    meta = {"link": face.link} if face.link else None
    if palette.plain:
        return Style(
            bold=face.bold or face.paper == "inline_code",  # as manuals print what is literal
            italic=face.italic,
            underline=face.underline,
            strike=face.strike,
            dim=face.ink in {"muted", "faint", "rule", "code_tag", "code_comment"},
            reverse=face.paper == "selected",
            meta=meta,
        )
    return Style(
        color=_inks(palette)[face.ink],
        bgcolor=_papers(palette)[face.paper],
        bold=face.bold,
        italic=face.italic,
        underline=face.underline,
        strike=face.strike,
        meta=meta,
    )
