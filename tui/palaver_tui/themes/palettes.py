"""Palettes: the colours of each theme, for each kind of terminal.

A terminal of 256 colours has its own palettes: the nearest of the 256 to 24-bit colours would be
navy for grey, and one grey for three. One of 16 uses the colours that its user has configured, on
its own background: whether that is dark is unknown.
"""

from __future__ import annotations

from typing import Literal

import msgspec

# The colours of a terminal: 24-bit colours, the 256 of xterm, its own 16, or none.
Depth = Literal["truecolor", "256", "16", "none"]


class Palette(msgspec.Struct, frozen=True):
    """The colours of one theme, for terminals of its `depth`.

    `own`: the background is the terminal's; an edge, attributes and inks replace other
    backgrounds. `plain`: there are no inks either.
    """

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
    added: str  # background of an added line, and of a removed one
    removed: str
    found: str  # background of a match, and of the current one
    found_here: str
    selected: str  # background of selected text
    depth: Depth = "truecolor"
    own: bool = False

    @property
    def plain(self) -> bool:
        """Whether there are no colours at all."""
        return self.depth == "none"


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
    depth="none",
    own=True,
)
# Rich converts each of these to the one of the 256 that is meant. It computes greys differently
# from xterm, so some are a little lighter here than they are shown.
DARK_256 = Palette(
    name="palaver-dark-256",
    dark=True,
    background="#141414",
    surface="#1f1f1f",
    panel="#292929",
    raised="#3d3d3d",
    border="#525252",
    text="#d6d6d6",
    muted="#a3a3a3",
    faint="#8f8f8f",
    accent="#5fd7d7",
    success="#87d787",
    warning="#d7af5f",
    error="#ff8787",
    code=("#cccccc", "#87afff", "#afd787", "#d7af87", "#999999", "#87d7d7", "#d7afff"),
    added="#005f00",
    removed="#5f0000",
    found="#5f5f00",
    found_here="#d7af5f",
    selected="#005f5f",
    depth="256",
)
LIGHT_256 = Palette(
    name="palaver-light-256",
    dark=False,
    background="#ffffff",
    surface="#f5f5f5",
    panel="#f5f5f5",
    raised="#e0e0e0",
    border="#c2c2c2",
    text="#292929",
    muted="#666666",
    faint="#707070",
    accent="#005f87",
    success="#005f00",
    warning="#875f00",
    error="#af0000",
    code=("#333333", "#005faf", "#005f00", "#875f00", "#666666", "#005f5f", "#870087"),
    added="#d7ffd7",
    removed="#ffd7d7",
    found="#ffffaf",
    found_here="#ffd75f",
    selected="#afd7ff",
    depth="256",
)
CONTRAST_256 = Palette(
    name="palaver-contrast-256",
    dark=True,
    background="#000000",
    surface="#000000",
    panel="#141414",
    raised="#333333",
    border="#b8b8b8",
    text="#ffffff",
    muted="#e0e0e0",
    faint="#b8b8b8",
    accent="#00ffff",
    success="#87ff87",
    warning="#ffff5f",
    error="#ff8787",
    code=("#ffffff", "#87d7ff", "#afff87", "#ffd787", "#c2c2c2", "#00ffd7", "#d7afff"),
    added="#005f00",
    removed="#5f0000",
    found="#5f5f00",
    found_here="#ffff5f",
    selected="#005f5f",
    depth="256",
)
_NAMES = "background surface panel raised border text muted faint added removed found found_here"
_OWN = dict.fromkeys([*_NAMES.split(), "selected"], "ansi_default")
# Bright colours on dark; on light the few of the 16 that are readable there. Text always has the
# terminal's own ink, so that it is readable with the wrong one of the two palettes, too.
DARK_16 = Palette(
    name="palaver-dark-16",
    dark=True,
    accent="ansi_bright_cyan",
    success="ansi_bright_green",
    warning="ansi_bright_yellow",
    error="ansi_bright_red",
    code=(
        *("ansi_default", "ansi_bright_cyan", "ansi_bright_green", "ansi_bright_yellow"),
        *("ansi_default", "ansi_default", "ansi_bright_magenta"),
    ),
    depth="16",
    own=True,
    **_OWN,
)
LIGHT_16 = Palette(
    name="palaver-light-16",
    dark=False,
    accent="ansi_blue",
    success="ansi_blue",
    warning="ansi_magenta",
    error="ansi_red",
    code=(
        *("ansi_default", "ansi_blue", "ansi_magenta", "ansi_red"),
        *("ansi_default", "ansi_default", "ansi_blue"),
    ),
    depth="16",
    own=True,
    **_OWN,
)
FAMILIES: dict[Depth, tuple[Palette, ...]] = {
    "truecolor": (DARK, LIGHT, CONTRAST, PLAIN),
    "256": (DARK_256, LIGHT_256, CONTRAST_256, PLAIN),
    "16": (DARK_16, LIGHT_16, PLAIN),
    "none": (PLAIN,),
}
PALETTES = {palette.name: palette for family in FAMILIES.values() for palette in family}
