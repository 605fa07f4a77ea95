"""Every theme is legible: it has WCAG's contrast, or marks if it has no colours."""

import pytest
from rich.color import ColorSystem
from rich.style import Style
from textual.color import Color

from palaver_tui.text.spans import Face, Ink
from palaver_tui.themes.palettes import PALETTES, PLAIN, Palette
from palaver_tui.themes.themes import style_of

COLOURED = [palette for palette in PALETTES.values() if not palette.own]
# Redundant text, such as a fence's language, needs only the contrast of graphics.
LEAST = {"faint": 3.0, "code_tag": 3.0, "code_comment": 4.0}
READ = 4.3
INKS = ["text", "muted", "faint", "accent", "user", "agent", "link", "code", "code_tag"]
INKS += ["code_keyword", "code_string", "code_number", "code_comment", "code_name", "code_type"]
INKS += ["success", "warning", "error"]


def contrast(style: Style, palette: Palette) -> float:
    """Return the contrast of a style in a terminal with the palette's colour depth."""
    system = ColorSystem.EIGHT_BIT if palette.depth == "256" else ColorSystem.TRUECOLOR
    ink, paper = style.color, style.bgcolor
    assert ink is not None
    assert paper is not None
    shown = [colour.downgrade(system).get_truecolor() for colour in (ink, paper)]
    return ratio(*[Color(*colour) for colour in shown])


def luminance(colour: Color) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def ratio(one: Color, other: Color) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", COLOURED, ids=lambda palette: palette.name)
@pytest.mark.parametrize("ink", INKS)
def test_every_ink_can_be_read_on_the_background_and_on_code(ink: Ink, palette: Palette) -> None:
    for paper in ("", "code"):
        found = contrast(style_of(Face(ink, paper=paper), palette), palette)
        assert found >= LEAST.get(ink, READ), (paper, found)


def test_without_colours_code_in_a_sentence_is_marked() -> None:
    assert style_of(Face("code", paper="inline_code"), PLAIN) != style_of(Face("text"), PLAIN)
