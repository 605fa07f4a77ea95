"""A terminal with few colours gets palettes made for it: tests of the bytes that are written."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console
from textual.color import Color

from palaver_tui.themes.palettes import FAMILIES, Depth
from palaver_tui.widgets.strips import depth_of
from tui.test_hostile import ROOT, run_in_terminal
from tui.test_themes import ratio

TERMS = [
    ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor"),
    ({"TERM": "xterm-256color"}, "256"),
    ({"TERM": "screen-256color"}, "256"),
    ({"TERM": "tmux-256color"}, "256"),
    ({"TERM": "xterm"}, "16"),
    ({"TERM": "linux"}, "16"),
    ({"TERM": "screen"}, "16"),
    ({"TERM": "vt100"}, "16"),
    ({"TERM": "screen", "COLORTERM": "truecolor"}, "truecolor"),
    ({"TERM": "dumb"}, "none"),
]


@pytest.mark.parametrize(("environment", "depth"), TERMS, ids=lambda x: str(x))
def test_the_environment_says_which_colours_there_are(
    environment: dict[str, str], depth: str
) -> None:
    console = Console(force_terminal=True, _environ=environment)
    assert depth_of(console) == depth


# --- the bytes that are written -----------------------------------------------------------------

# The 16 colours of the Linux console and of xterm: those of most other terminals lie between.
VGA = "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa"
VGA += " 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff"
XTERM = "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5"
XTERM += " 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff"
SCHEMES = [[Color.parse(f"#{one}") for one in names.split()] for names in (VGA, XTERM)]
SEQUENCE = re.compile(r"\x1b(?:\[([0-9;:?<>=]*)[ -/]*([@-~])|\][^\x07]*\x07|[ -/]*[0-~])")
LEVELS = (0, 95, 135, 175, 215, 255)


class Shown(NamedTuple):
    """The attributes of a text: colours are numbers, -1 for the terminal's own, or 24 bits."""

    ink: int | tuple[int, ...]
    paper: int | tuple[int, ...]
    dim: bool
    reverse: bool


ShownBy = Callable[[str, int], dict[Shown, set[str]]]


def texts(written: bytes) -> dict[Shown, set[str]]:
    """Return the attributes of all words that were written, with the words."""
    found: dict[Shown, set[str]] = {}
    shown, at = Shown(-1, -1, dim=False, reverse=False), 0
    everything = written.decode()
    for sequence in SEQUENCE.finditer(everything):
        if words := re.findall(r"[^\W\d_]+", everything[at : sequence.start()]):
            found.setdefault(shown, set()).update(words)
        at = sequence.end()
        if sequence[2] == "m" and "?" not in sequence[1] and ">" not in sequence[1]:
            shown = after(shown, [int(one or 0) for one in sequence[1].split(";")])
    return found


def after(shown: Shown, codes: list[int]) -> Shown:
    while codes:
        code = codes.pop(0)
        where = "ink" if code in {38, 39} or 30 <= code < 38 or 90 <= code < 98 else "paper"
        if code == 0:
            shown = Shown(-1, -1, dim=False, reverse=False)
        elif code in {38, 48}:
            kind = codes.pop(0)
            value = codes.pop(0) if kind == 5 else tuple(codes.pop(0) for _ in range(3))
            shown = shown._replace(**dict[str, Any]({where: value}))
        elif code in {39, 49}:
            shown = shown._replace(**dict[str, Any]({where: -1}))
        elif 30 <= code < 38 or 40 <= code < 48:
            shown = shown._replace(**dict[str, Any]({where: code % 10}))
        elif 90 <= code < 98 or 100 <= code < 108:
            shown = shown._replace(**dict[str, Any]({where: code % 10 + 8}))
        elif code in {2, 22}:
            shown = shown._replace(dim=code == 2)
        elif code in {7, 27}:
            shown = shown._replace(reverse=code == 7)
    return shown


def rgb(number: int, scheme: list[Color]) -> Color:
    if number < 16:
        return scheme[number]
    if number >= 232:
        return Color(*(8 + 10 * (number - 232),) * 3)
    number -= 16
    return Color(LEVELS[number // 36], LEVELS[number // 6 % 6], LEVELS[number % 6])


def least(shown: Shown, dark: bool) -> float:
    """Return the lowest contrast of these attributes on terminals that are dark or light."""
    worst = 21.0
    for scheme in SCHEMES:
        own = (scheme[7], scheme[0]) if dark else (scheme[0], scheme[15])
        drawn: list[Color] = []
        for number, default in zip((shown.ink, shown.paper), own, strict=True):
            assert isinstance(number, int), "24 bits"
            drawn.append(default if number == -1 else rgb(number, scheme))
        ink, paper = drawn
        worst = min(worst, ratio(ink, paper))
    return worst


@pytest.fixture(scope="module")
def shown_by(tmp_path_factory: pytest.TempPathFactory) -> ShownBy:
    """The texts of a client in a terminal, which runs once for each theme of each terminal."""

    @cache
    def shown(term: str, theme: int) -> dict[Shown, set[str]]:
        return _shown_by(tmp_path_factory.mktemp(term), term, theme)

    return shown


def _shown_by(tmp_path: Path, term: str, theme: int) -> dict[Shown, set[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), "TERM": term}
    for name in ("COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "tui.coloured_client", str(tmp_path), str(theme)]
    return texts(run_in_terminal(command, environment))


# WCAG's minimum contrast for large or redundant text; test_themes.py has the higher one for others.
READABLE = 3.0
RUNS = [
    ("xterm-256color", "256", 0),
    ("xterm-256color", "256", 1),
    ("xterm-256color", "256", 2),
    ("xterm", "16", 0),
    ("xterm", "16", 1),
    ("dumb", "none", 0),
]
MOST = {"256": 255, "16": 15, "none": -1}


@pytest.mark.process
@pytest.mark.parametrize(("term", "depth", "number"), RUNS)
def test_a_terminal_gets_colours_that_it_has_and_that_can_be_read(
    shown_by: ShownBy, term: str, depth: Depth, number: int
) -> None:
    palette = FAMILIES[depth][number]
    looks = shown_by(term, number)
    said = set().union(*looks.values())
    assert {"async", "pytest", "Title", "Retrying", "accept"} <= said, said
    if palette.own:  # the selected row of a dialog is reversed: there is no background colour
        assert any(look.reverse and "Begin" in words for look, words in looks.items())
        # The cursor, too, which is on the first letter of "Find a model".
        assert any(look.reverse and "F" in words for look, words in looks.items())
    for look, words in looks.items():
        for colour in (look.ink, look.paper):
            assert isinstance(colour, int), (words, "24 bits")
            assert colour <= MOST[depth], words
        found = least(look, palette.dark)
        assert found >= READABLE, (look, words, found)


@pytest.mark.process
def test_code_is_neither_black_nor_navy_in_256_colours(shown_by: ShownBy) -> None:
    looks = shown_by("xterm-256color", 0)
    papers = {look.paper for look, words in looks.items() if "async" in words}
    assert papers == {235}  # a grey other than the background's 233
    assert not {16, 17, 18, 19, 20, 21} & {look.paper for look in looks}
