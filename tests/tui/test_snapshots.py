"""Snapshots of every state of the client at three sizes, and in every theme."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from palaver.client import ConnectionLost
from palaver.wire.search import SearchPage
from palaver_tui.app import PalaverApp
from palaver_tui.themes.palettes import FAMILIES
from palaver_tui.timing import LIST_SEARCH_AFTER_S
from tui.replay import T0, ReplayClient, hit
from tui.scenes import CHATS, SCENES, SIZES, searched
from tui.screen import make_app, posed, screen_text, settled

THEMES = [palette.name for palette in FAMILIES["truecolor"]]


def is_there(app: PalaverApp, daemon: ReplayClient, words: str) -> bool:
    has_models = bool(app.session.models)
    return words in screen_text(app) and (has_models or daemon.absent)


def picture(
    tmp_path: Path, scene: str, theme: str | None = None, keys: Sequence[str] = ()
) -> tuple[PalaverApp, Callable[[Pilot[int]], Awaitable[None]]]:
    """Return the application of a scene, and the function that brings it into its state."""
    prepare, chat_id, words = SCENES[scene]
    daemon = ReplayClient()
    prepare(daemon)
    app, _clock = make_app(daemon, tmp_path, chat_id)

    async def before(pilot: Pilot[int]) -> None:
        await settled(app, lambda: is_there(app, daemon, words))
        if theme is not None:
            app.theme = theme
        for key in keys:
            await pilot.press(key)
        await posed(app, pilot)

    return app, before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES)
def test_a_state_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, scene: str, size: tuple[int, int]
) -> None:
    app, before = picture(tmp_path, scene)
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", THEMES[1:])
def test_a_theme_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, theme: str
) -> None:
    app, before = picture(tmp_path, "queued", theme)
    assert snap_compare(app, terminal_size=(100, 32), run_before=before)


@pytest.mark.parametrize(
    ("name", "keys", "size"),
    [
        ("help", ["f1"], (80, 24)),
        ("palette", ["ctrl+p"], (80, 24)),
        ("models", ["f3"], (80, 24)),
        ("list_over_a_narrow_window", ["ctrl+l"], (60, 20)),
        ("queue_in_focus", ["ctrl+o", "down"], (80, 24)),
    ],
)
def test_what_opens_looks_as_it_did(
    snap_compare: Callable[..., bool],
    tmp_path: Path,
    name: str,
    keys: list[str],
    size: tuple[int, int],
) -> None:
    app, before = picture(tmp_path, "queued", keys=keys)
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_question_in_focus_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int]
) -> None:
    app, before = picture(tmp_path, "asking")

    async def focused(pilot: Pilot[int]) -> None:
        await before(pilot)
        app.main.question.focus()
        app.main.question.select(1)
        await posed(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=focused)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_notice_of_an_error_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int]
) -> None:
    app, before = picture(tmp_path, "finished")

    async def failed(pilot: Pilot[int]) -> None:
        await before(pilot)
        kind = app.context.errors.log.note(ValueError("nobody sees this"))
        assert kind is not None
        app.context.errors.say(kind)
        await posed(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=failed)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("name", "keys"), [("list", ["ctrl+l"]), ("labels", ["ctrl+l", "l"])])
def test_marks_of_chats_look_as_they_did(
    snap_compare: Callable[..., bool],
    tmp_path: Path,
    name: str,
    keys: list[str],
    size: tuple[int, int],
) -> None:
    app, before = picture(tmp_path, "marked", keys=keys)
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", ["found", "asked", "unconnected", "opened"])
def test_what_a_filter_finds_in_messages_looks_as_it_did(
    snap_compare: Callable[..., bool], tmp_path: Path, state: str, size: tuple[int, int]
) -> None:
    daemon = ReplayClient()
    searched(daemon)
    if state == "opened":
        second = hit(CHATS[0], "Why does the relay test ", "hang", " now", message_id=1)
        daemon.found["hang*"] = SearchPage([second])
    app, clock = make_app(daemon, tmp_path, "a")
    search = app.session.list_search

    async def before(pilot: Pilot[int]) -> None:
        await settled(app, lambda: is_there(app, daemon, "only reset it in"))
        if state == "unconnected":
            daemon.watching.tell(ConnectionLost("cut", T0, 0.5))
            await settled(app, lambda: app.session.connection.phase == "reconnecting")
        words = "hang" if state == "opened" else "rel"
        await pilot.press("ctrl+l", "slash", *words)

        def is_answered() -> bool:
            clock.advance(LIST_SEARCH_AFTER_S)
            return not search.waits

        if state != "asked":
            await settled(app, is_answered)
        if state == "opened":
            await pilot.press("enter")
            await settled(app, lambda: app.main.transcript.landing.active)
        await posed(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)
