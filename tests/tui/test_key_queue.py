"""Typed text goes into the focused field, or else into the composer."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.screen import ModalScreen, Screen

import palaver_tui
from palaver_tui.widgets.dialogs.dialog import Dialog
from palaver_tui.widgets.dialogs.help import HelpScreen
from palaver_tui.widgets.dialogs.palette import Palette
from palaver_tui.widgets.dialogs.picker import Picker
from palaver_tui.widgets.dialogs.title import RenameScreen
from palaver_tui.widgets.queue import QueuePanel
from palaver_tui.widgets.search_bar import SearchInput
from tui.bursts import feed, quiet
from tui.replay import user
from tui.screen import Client, client
from tui.test_client import with_chat
from tui.test_queue import queueing


@pytest.mark.parametrize("part", ["ctrl+o", "ctrl+t", "ctrl+l", "f1"])
async def test_letters_outside_a_field_go_to_the_composer(tmp_path: Path, part: str) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.write("a ")
        feed(me, [part, "Xsxt"])  # letters that are no key binding of any part
        await quiet(me)
        assert me.composer.text == "a Xsxt"
        assert me.composer.has_focus
        assert me.app.screen is me.app.main


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (100, 30)])
@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (["ctrl+l"], "─ Chats: letters are keys ─"),
        (["ctrl+l", "A"], "─ Archived: letters are keys ─"),
        (["ctrl+t"], "─ Letters are keys ─"),
        (["ctrl+o"], "─ Queue · 2: letters are keys ─"),
    ],
)
async def test_a_part_that_takes_letters_says_so_while_it_does(
    tmp_path: Path, size: tuple[int, int], keys: list[str], says: str
) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a", size=size) as me:
        await me.shows("Queue · 2")
        assert "etters are keys" not in me.text()
        await me.press(*keys)
        await me.shows(says)
        assert me.text().count("etters are keys") == 1
        await me.hides("⏎ stop, and send the next one")  # the hint of the composer


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_the_queue_shows_all_its_keys(tmp_path: Path, size: tuple[int, int]) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a", size=size) as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o")
        await me.shows("⏎ send now  e edit  d remove  K J move  h hold ─")


async def test_after_tab_too(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        for _ in range(4):
            feed(me, ["tab", "X"])
            await quiet(me)
        assert me.composer.text == "XXXX"


async def test_keys_of_a_part_are_its_keys_while_it_has_the_focus(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o", "j")
        assert me.app.main.query_one(QueuePanel).has_focus
        assert me.composer.text == ""


async def test_a_paste_outside_a_field_goes_to_the_composer(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        await me.press("ctrl+o")
        me.app.post_message(events.Paste("one\r\ntwo"))
        await me.until(lambda: me.composer.text == "one\ntwo")
        assert me.composer.has_focus


async def test_pasted_lines_are_one_message_with_their_tabs_and_nothing_is_sent(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id="a") as me:
        await me.shows("x")
        code = "def f():\n\treturn 1\n\n\n# end\n"
        me.app.post_message(events.Paste(code.replace("\n", "\r")))
        await me.until(lambda: me.composer.text == code)
        await me.pilot.pause()
        assert me.daemon.sent == []
        await me.press("enter")
        await me.until(lambda: me.daemon.sent)
        assert [request.content for _, request, _ in me.daemon.sent] == [code]


async def test_a_paste_of_lines_into_a_line_keeps_them_all(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id="a") as me:
        await me.shows("x")
        await me.press("ctrl+f")
        me.app.post_message(events.Paste("one\ntwo"))
        await me.until(lambda: me.app.main.query_one(SearchInput).value == "one two")


async def test_a_letter_with_alt_is_no_letter(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id="a") as me:
        await me.shows("x")
        await me.write("one two")
        feed(me, ["alt+x", "alt+q", "alt+b", "alt+d", "ctrl+a", "alt+f", "!"])
        await quiet(me)
        assert me.composer.text == "one! "
        await me.press("ctrl+f")
        feed(me, ["alt+x", "y"])
        await quiet(me)
        assert me.app.main.query_one(SearchInput).value == "y"


async def test_the_palette_takes_what_was_typed_with_its_key_and_runs_it_once(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("Queue · 2")
        feed(me, ["ctrl+p", "help", "enter", "enter"])
        await quiet(me)
        assert isinstance(me.app.screen, HelpScreen)
        assert me.daemon.asked == []


async def test_a_second_enter_after_a_dialog_decides_nothing(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=queueing(), chat_id="a") as me:
        await me.shows("⏎ stop, and send the next one")
        feed(me, ["ctrl+p", "next theme", "enter", "enter", "enter"])
        await quiet(me)
        assert me.app.theme == "palaver-light"
        assert me.daemon.asked == []


async def test_the_palette_says_when_nothing_fits_and_goes_on(tmp_path: Path) -> None:
    async with client(tmp_path) as me:
        await me.press("ctrl+p", "z", "z", "q", "enter")
        await me.shows("Nothing here is called “zzq”.")
        await me.press("backspace", "backspace", "backspace")
        await me.shows("New chat", "Next theme")


def on_top(me: Client) -> Screen[Any]:
    return me.app.screen


async def test_one_dialog_makes_way_for_another_and_closes_with_its_own_key(tmp_path: Path) -> None:
    async with client(tmp_path) as me:
        await me.press("f1")
        assert isinstance(on_top(me), HelpScreen)
        await me.press("ctrl+p")
        assert isinstance(on_top(me), Palette)
        await me.press("f1", "f1")
        assert on_top(me) is me.app.main


def test_nothing_is_taken_from_over_the_main_screen_but_by_its_one_answer() -> None:
    package = Path(palaver_tui.__file__).parent
    taking = re.compile(r"\b(dismiss|pop_screen|switch_screen)\(")
    found = {
        path.name: len(taking.findall(text))
        for path in package.rglob("*.py")
        if taking.search(text := path.read_text())
    }
    assert found == {"dialog.py": 1}
    for path in (package / "widgets").rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        import_module(".".join(parts).removesuffix(".__init__"))
    assert [one for one in ModalScreen.__subclasses__() if "palaver" in one.__module__] == [Dialog]


async def test_an_answered_dialog_is_answered_once(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "x")), chat_id="a") as me:
        await me.until(lambda: me.app.session.models and me.view.attached)
        for name in ("chat.rename", "model.choose", "app.palette", "app.help"):
            me.app.perform(name)
            await me.until(lambda: isinstance(me.app.screen, RenameScreen | Picker | HelpScreen))
            await me.until(lambda: me.app.key_queue.quiet)
            await me.pilot.pause()
            dialog = me.app.screen
            assert isinstance(dialog, Dialog)
            dialog.answer(None)
            dialog.answer(None)
            await me.pilot.pause()
            assert me.app.screen is me.app.main
