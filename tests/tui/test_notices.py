"""Notices never cover what the user works with."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets._toast import Toast

from tui.replay import ReplayClient
from tui.scenes import SCENES, SIZES
from tui.screen import client

PARTS = ("#search", "#banner", "#queue", "#writing", "#footer")
SHORT = "Already stopping."
LONG = (
    "Sent the selection (12 lines) to your terminal's clipboard (OSC 52). Whether it took it, only"
    " the terminal knows. And this goes on for long enough that no window holds it in one row."
)
SAID = ([SHORT], [LONG], [LONG, SHORT, f"Once more. {LONG}", "Copied."])


@pytest.mark.parametrize("size", [*SIZES, (40, 12)], ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("state", ["queued", "failed"])
async def test_a_notice_covers_nothing_that_one_works_with(
    tmp_path: Path, state: str, size: tuple[int, int]
) -> None:
    scene, chat_id, _ = SCENES[state]
    daemon = ReplayClient()
    scene(daemon)
    async with client(tmp_path, daemon=daemon, chat_id=chat_id, size=size) as me:
        await me.until(lambda: me.view.caught_up)
        await me.write("a draft\nof two lines\nand a third")
        await me.press("ctrl+f")
        for said in SAID:
            me.app.clear_notifications()
            await me.until(lambda: not me.app.screen.query(Toast))
            for words in said:
                me.app.context.notices.say(words)
            await me.until(partial(are_there, me.app.screen, len(said)))
            await me.pilot.pause()
            covers_nothing(me.app.screen)
            over = me.text().partition("❯")[0]
            assert said[-1].split()[0] in over, "the last one gave way"


def are_there(screen: Screen[Any], many: int) -> bool:
    return len(screen.query(Toast)) == many


def covers_nothing(screen: Screen[Any]) -> None:
    below = [part for name in PARTS if (part := screen.query_one(name)).display]
    assert len(below) >= 3
    toasts = screen.query(Toast)
    clipped = [toast.region.intersection(screen.find_widget(toast).clip) for toast in toasts]
    seen = [area for area in clipped if area]
    assert seen, "no notice can be seen"
    for area in seen:
        assert not [part for part in below if area.overlaps(part.region)]


async def test_a_short_notice_covers_no_text_but_the_frame(tmp_path: Path) -> None:
    scene, chat_id, there = SCENES["finished"]
    daemon = ReplayClient()
    scene(daemon)
    async with client(tmp_path, daemon=daemon, chat_id=chat_id, size=(100, 40)) as me:
        await me.shows(there)
        before = me.text().splitlines()
        me.app.context.notices.say(SHORT)
        await me.shows(SHORT)
        after = me.text().splitlines()
    assert [row for row in range(len(after)) if after[row] != before[row]] == [1]


async def test_under_a_dialog_a_notice_is_shown_once(tmp_path: Path) -> None:
    scene, chat_id, there = SCENES["finished"]
    daemon = ReplayClient()
    scene(daemon)
    async with client(tmp_path, daemon=daemon, chat_id=chat_id, size=(100, 40)) as me:
        await me.shows(there)
        me.app.context.notices.say(SHORT)
        await me.shows(SHORT)
        await me.press("f1", "ctrl+p")
        await me.until(partial(are_there, me.app.screen, 1))
        await me.pilot.pause()
        for behind in me.app.screen_stack[:-1]:
            assert not [one for one in behind.query(Toast) if one.display and one.region.area]
        await me.press("escape", "escape")
        await me.shows(SHORT)


async def test_a_notice_goes_when_what_it_says_was_taken_back(tmp_path: Path) -> None:
    async with client(tmp_path) as me:
        undone = []
        me.app.context.notices.say(SHORT)
        me.app.context.undo.offer(lambda _: undone.append(1), "Archived it.")
        await me.shows("Archived it.", SHORT)
        await me.press("ctrl+z")
        await me.hides("Archived it.")
        assert undone
        assert SHORT in me.text()


async def test_a_notice_that_is_said_again_replaces_the_one_that_still_stands(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as me:
        notices = me.app.context.notices
        for words in (SHORT, "Archived it.", SHORT, SHORT):
            notices.say(words)
        await me.shows(SHORT, "Archived it.")
        await me.until(partial(are_there, me.app.screen, 2))
        assert me.text().count(SHORT) == 1


async def test_a_command_that_is_refused_again_says_so_once(tmp_path: Path) -> None:
    async with client(tmp_path) as me:
        for _ in range(3):
            await me.write("/label urgent")
            await me.press("escape", "enter")
            await me.shows("/label stands alone")
            me.composer.clear()
        await me.until(partial(are_there, me.app.screen, 1))


@pytest.mark.parametrize("size", [(60, 20), (40, 12), (30, 11)])
async def test_the_composer_stays_in_view_under_a_banner_with_much_to_say(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    scene, chat_id, _ = SCENES["failed"]
    daemon = ReplayClient()
    scene(daemon)
    async with client(tmp_path, daemon=daemon, chat_id=chat_id, size=size) as me:
        await me.until(lambda: me.view.caught_up)
        await me.press("f4")
        await me.shows("^g try again")
        below = me.text().splitlines()[-4:]
        assert "❯" in below[1]
        assert "F1 help" in below[3]
        await me.press("slash")
        await me.shows("❯ /", "/new")
