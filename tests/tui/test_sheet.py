"""Snapshots of every kind of block, folded and unfolded, at four widths and in each theme."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from palaver_tui.app import PalaverApp
from palaver_tui.themes.palettes import FAMILIES
from palaver_tui.widgets.transcript.widget import Transcript
from tui.replay import ReplayClient
from tui.screen import make_app, posed, screen_text, settled
from tui.sheet import running_tools, sheet, writing_a_call
from tui.sheet_nested import nested
from tui.sheet_written import on_their_way, written

THEMES = [palette.name for palette in FAMILIES["truecolor"]]
# Each theme is tested at one width, and each width in two themes: with colours, and with signs
# instead of them.
USUAL, WITHOUT_COLOUR = "palaver-dark", "palaver-plain"
# Rows for each width, so that everything is in view.
WIDTHS = {60: 144, 80: 140, 120: 140, 200: 132}
NESTED = {60: 87, 120: 84}
WRITTEN = {60: 150, 80: 135, 120: 125, 200: 120}
LOOKS = [
    *((width, theme) for width in WIDTHS for theme in (USUAL, WITHOUT_COLOUR)),
    *((80, theme) for theme in THEMES if theme not in {USUAL, WITHOUT_COLOUR}),
]


async def nothing(app: PalaverApp, daemon: ReplayClient) -> None:
    """Do nothing."""


def prepared(
    tmp_path: Path,
    scene: Callable[[ReplayClient], None],
    words: str,
    theme: str = USUAL,
    act: Callable[[PalaverApp, ReplayClient], Awaitable[None]] = nothing,
    keys: Sequence[str] = (),
) -> tuple[PalaverApp, Callable[[Pilot[int]], Awaitable[None]]]:
    daemon = ReplayClient()
    scene(daemon)
    app, _clock = make_app(daemon, tmp_path, "a")

    async def before(pilot: Pilot[int]) -> None:
        await settled(app, lambda: words in screen_text(app) and app.session.models)
        app.theme = theme
        await act(app, daemon)
        await posed(app, pilot)
        for key in keys:
            await pilot.press(key)
        await posed(app, pilot)

    return app, before


async def unfold(app: PalaverApp, daemon: ReplayClient) -> None:
    transcript = app.main.query_one(Transcript)
    transcript.viewport.set_folds(transcript.viewport.folds.all(True))


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_every_kind_of_block_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, width: int, theme: str
) -> None:
    app, before = prepared(tmp_path, sheet, "2. Only on drain", theme, unfold)
    assert snap_compare(app, terminal_size=(width, WIDTHS[width]), run_before=before)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_folded_it_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, width: int, theme: str
) -> None:
    app, before = prepared(tmp_path, sheet, "2. Only on drain", theme)
    assert snap_compare(app, terminal_size=(width, 46), run_before=before)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_what_is_written_and_sent_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, width: int, theme: str
) -> None:
    app, before = prepared(tmp_path, written, "Nothing that I know", theme, on_their_way)
    assert snap_compare(app, terminal_size=(width, WRITTEN[width]), run_before=before)


@pytest.mark.parametrize("theme", [USUAL, WITHOUT_COLOUR])
@pytest.mark.parametrize("width", NESTED)
def test_what_is_set_in_deep_and_formulas_look_as_they_did(
    snap_compare: Callable[..., bool], tmp_path: Path, width: int, theme: str
) -> None:
    app, before = prepared(tmp_path, nested, "The end.", theme)
    assert snap_compare(app, terminal_size=(width, NESTED[width]), run_before=before)


@pytest.mark.parametrize("scene", [running_tools, writing_a_call])
def test_what_is_under_way_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, scene: Callable[[ReplayClient], None]
) -> None:
    app, before = prepared(tmp_path, scene, "…", act=unfold)
    assert snap_compare(app, terminal_size=(80, 60), run_before=before)


@pytest.mark.parametrize("theme", [USUAL, WITHOUT_COLOUR])
@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(["ctrl+f", "r", "e", "l", "a", "y"], id="search"),
        pytest.param(["ctrl+t", "v", "shift+down", "shift+down", "shift+right"], id="selection"),
        pytest.param(["ctrl+t", "comma", "comma"], id="pointing"),
    ],
)
def test_what_is_marked_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, keys: list[str], theme: str
) -> None:
    app, before = prepared(tmp_path, sheet, "2. Only on drain", theme, keys=keys)
    assert snap_compare(app, terminal_size=(80, 30), run_before=before)
