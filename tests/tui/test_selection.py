"""Selecting with the mouse and with keys, going to targets, and copying the Markdown."""

from pathlib import Path
from typing import Any

import pytest

from palaver.wire.events import MessageEvent
from palaver.wire.messages import MessagePage
from palaver_tui.platform.clipboard import Clipboard, Copied
from palaver_tui.transcript.positions import Place
from palaver_tui.transcript.targets import Target
from tui.replay import ReplayClient, answer, part, status, user
from tui.screen import Client, client
from tui.sheet import finished_turn
from tui.test_client import LONG, running, with_chat

CODE = "Do this:\n\n```python\ndef f():\n\treturn 1\n```\n\nThen **stop** there."


class Taken(Clipboard):
    """A fake clipboard that records the copied texts."""

    def __init__(self) -> None:
        super().__init__({}, self.send, Path())
        self.texts: list[str] = []

    def send(self, text: str) -> None:
        raise AssertionError("a test writes nothing to the terminal")

    async def copy(self, text: str) -> Copied:
        self.texts.append(text)
        return Copied("tool", "a-tool")


def taking(me: Client) -> Taken:
    me.app.context.clipboard = taken = Taken()
    return taken


def row_of(me: Client, words: str) -> int:
    return next(y for y, line in enumerate(me.text().split("\n")) if words in line)


def column_of(me: Client, words: str) -> int:
    return next(line.index(words) for line in me.text().split("\n") if words in line)


def cursor_of(me: Client) -> Place:
    """Return the place of the cursor that selects."""
    place = me.transcript.selection.places()[1]
    assert place is not None
    return place


def target_of(me: Client) -> Target:
    target = me.transcript.target_cursor.target
    assert target is not None
    return target


async def drag(me: Client, first: tuple[int, int], last: tuple[int, int]) -> None:
    from textual.events import MouseMove

    await me.pilot.mouse_down(offset=first)
    await me.pilot._post_mouse_events([MouseMove], offset=last, button=1)
    await me.pilot.mouse_up(offset=last)


def spot(me: Client, words: str, after: bool = False) -> tuple[int, int]:
    return column_of(me, words) + (len(words) if after else 0), row_of(me, words)


async def test_a_drag_selects_and_copies_the_markdown_of_exactly_that(tmp_path: Path) -> None:
    daemon = with_chat(answer(1, "It waits for **one timer**, not *two*."))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        copied = taking(me)
        await me.shows("It waits")
        await drag(me, spot(me, "waits"), spot(me, "one timer", after=True))
        await me.shows("Esc unselect")
        await me.press("ctrl+t", "c")
        await me.until(lambda: copied.texts)
        assert copied.texts == ["waits for **one timer**"]
        await me.shows("Copied the selection")
        assert not me.transcript.selection.active


async def test_copied_as_plain_text_it_has_no_marks(tmp_path: Path) -> None:
    daemon = with_chat(answer(1, "It waits for **one timer**, not *two*."))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        copied = taking(me)
        await me.shows("It waits")
        await drag(me, spot(me, "waits"), spot(me, "one timer", after=True))
        await me.press("ctrl+t", "C")
        await me.until(lambda: copied.texts == ["waits for one timer"])


async def test_a_selection_over_messages_has_both_texts_and_no_frames(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "first\nquestion"), answer(2, "- an *item*\n- more"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        copied = taking(me)
        await me.shows("more")
        await drag(me, spot(me, "question"), spot(me, "more", after=True))
        await me.press("ctrl+c")
        await me.until(lambda: copied.texts == ["question\n\n- an *item*\n- more"])


OVER_MESSAGES = [
    pytest.param("c", "**two** three\n\nfour\n\n- five\n- *s*", id="as written"),
    pytest.param("C", "two three\n\nfour\n\n • five\n • s", id="as it reads"),
]


@pytest.mark.parametrize(("key", "wanted"), OVER_MESSAGES)
@pytest.mark.parametrize("way", ["mouse", "keys"])
async def test_over_messages_that_end_in_remarks_only_what_was_written_is_copied(
    tmp_path: Path, way: str, key: str, wanted: str
) -> None:
    stopped = answer(1, "one **two** three", finish="interrupted")
    daemon = with_chat(stopped, user(2, "four"), answer(3, "- five\n- *six*"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        copied = taking(me)
        await me.shows("six", "stopped here")
        if way == "mouse":
            x, y = spot(me, "six")
            await drag(me, spot(me, "two"), (x + 1, y))
            await me.press("ctrl+t")
        else:
            await me.press("ctrl+t", "v", "down", "w", "v")
            rows = row_of(me, "six") - row_of(me, "two")
            await me.press(*["down"] * rows, "0", *["right"] * 3)
        await me.press(key)
        await me.until(lambda: copied.texts)
        assert copied.texts == [wanted]


async def test_a_drag_beyond_the_view_scrolls_and_goes_on_selecting(tmp_path: Path) -> None:
    daemon = with_chat(answer(1, LONG))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        copied = taking(me)
        await me.shows("paragraph 59")
        selection = me.transcript.selection
        height = me.transcript.size.height
        selection.press(0, 4)
        selection.drag(0, -3)
        top = me.transcript.scroll_offset.y
        for _ in range(top):
            selection.scroll_on()
        await me.pilot.pause()
        assert top > height
        assert me.transcript.scroll_offset.y == 0
        selection.drag(2, 0)
        selection.drag(2, 2)
        assert selection.release()
        await me.press("ctrl+t", "c")
        await me.until(lambda: copied.texts)
        numbers = copied.texts[0].split("\n\n")
        assert numbers[0].startswith("paragraph 0") or numbers[0].startswith("paragraph 1")
        assert len(numbers) > 40


async def test_a_selection_stays_at_its_words_while_text_streams_and_pages_and_widths_change(
    tmp_path: Path,
) -> None:
    words = " ".join(f"word{number:03}" for number in range(100))
    daemon = running(answer(50, words), answer(51, LONG, model="other"))
    daemon.pages[50] = MessagePage([user(49, "older"), user(48, "oldest")], more=False)
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(120, 30)) as me:
        copied = taking(me)
        await me.shows("paragraph 59")
        await me.press("ctrl+t", "home")
        await me.until(lambda: len(me.view.messages) == 4)
        await me.press("home")
        await me.shows("word000")
        await drag(me, spot(me, "word030"), spot(me, "word033", after=True))
        before = me.transcript.selection.text("source")
        assert before == "word030 word031 word032 word033"
        for number in range(30):
            daemon.stream_of("a").tell(part(f"more {number:02}\n\n", 9 * number, episode="51.1"))
        await me.until(lambda: me.view.live and me.view.live.blocks[0].text.length == 270)
        for width in (64, 100):
            await me.pilot.resize_terminal(width, 30)
            await me.pilot.pause()
            assert me.transcript.selection.text("source") == before
        await me.press("c")
        await me.until(lambda: copied.texts == [before])


async def test_a_selection_in_a_live_answer_survives_its_commit(tmp_path: Path) -> None:
    daemon = running(user(1, "why?"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        daemon.stream_of("a").tell(part("It *waits* here", episode="1.1"))
        await me.shows("It waits here")
        await drag(me, spot(me, "waits"), spot(me, "here", after=True))
        assert me.transcript.selection.text("source") == "*waits* here"
        daemon.stream_of("a").tell(
            MessageEvent(answer(2, "It *waits* here."), replaces="1.1"), status("waiting")
        )
        await me.until(lambda: me.view.live is None)
        await me.pilot.pause()
        assert me.transcript.selection.text("source") == "*waits* here"


class TestKeys:
    async def test_the_cursor_moves_selects_and_copies(self, tmp_path: Path) -> None:
        daemon = with_chat(answer(1, "one two three\n\nfour five"))
        async with client(tmp_path, daemon=daemon, chat_id="a") as me:
            copied = taking(me)
            await me.shows("four five")
            await me.press("ctrl+t", "v", "down", "right", "right", "w", "v", "w", "right")
            await me.press("y")
            await me.until(lambda: copied.texts)
            assert copied.texts == ["two th"]

    async def test_shift_and_arrows_select_at_once(self, tmp_path: Path) -> None:
        daemon = with_chat(answer(1, "one two three\n\nfour five"))
        async with client(tmp_path, daemon=daemon, chat_id="a") as me:
            copied = taking(me)
            await me.shows("four five")
            await me.press("ctrl+t", "v", "down", "shift+right", "shift+right", "c")
            await me.until(lambda: copied.texts == ["one"])
            await me.press("v", "down", "shift+down", "shift+down", "C")
            await me.until(lambda: len(copied.texts) == 2)
            assert copied.texts[1] == "one two three\n\nf"

    async def test_escape_unselects_and_stops_nothing(self, tmp_path: Path) -> None:
        daemon = running(answer(1, "one two three"))
        async with client(tmp_path, daemon=daemon, chat_id="a") as me:
            await me.shows("one two three")
            await me.press("ctrl+t", "v")
            await me.shows("Esc unselect")
            await me.press("escape")
            await me.hides("Esc unselect")
            assert daemon.interrupts == []

    async def test_the_cursor_walks_over_what_readers_take_for_one_character(
        self, tmp_path: Path
    ) -> None:
        daemon = with_chat(answer(1, "a👨‍👩‍👧e\u0301中z"))
        async with client(tmp_path, daemon=daemon, chat_id="a") as me:
            await me.shows("z")
            await me.press("ctrl+t", "v", "down")
            seen = []
            for _ in range(5):
                place = cursor_of(me)
                line = me.transcript.viewport.column.line(place.y)[2].text
                width = me.transcript.selection._width_at(place)
                seen.append(line[place.x : place.x + width])
                await me.press("right")
            assert seen == ["a", "👨‍👩‍👧", "e\u0301", "中", "z"]
            await me.press("left", "left", "left")
            assert cursor_of(me).x == 2 + len("a👨‍👩‍👧")

    async def test_the_cursor_scrolls_the_view_with_it(self, tmp_path: Path) -> None:
        async with client(tmp_path, daemon=with_chat(answer(1, LONG)), chat_id="a") as me:
            await me.shows("paragraph 59")
            await me.press("ctrl+t", "v", *["up"] * 10)
            y = cursor_of(me).y
            assert me.transcript.scroll_offset.y == y
            await me.press("pagedown", "pagedown", "pagedown")
            await me.shows("paragraph 59")


class TestThings:
    async def test_the_code_of_a_block_is_copied_as_it_was_written(self, tmp_path: Path) -> None:
        async with client(tmp_path, daemon=with_chat(answer(1, CODE)), chat_id="a") as me:
            copied = taking(me)
            await me.shows("Then stop there.")
            await me.press("ctrl+t", "comma", "c")
            await me.until(lambda: copied.texts == ["def f():\n\treturn 1"])
            await me.shows("Copied the code (2 lines)")

    async def test_a_link_is_opened_by_key_and_its_address_copied(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        daemon = with_chat(answer(1, "See [the manual][1].\n\n[1]: https://docs.example/x\n"))
        async with client(tmp_path, daemon=daemon, chat_id="a") as me:
            copied = taking(me)
            opened: list[str] = []
            monkeypatch.setattr(me.app, "open_url", opened.append)
            await me.shows("the manual")
            await me.press("ctrl+t", "comma", "c", "enter")
            await me.until(lambda: opened == ["https://docs.example/x"])
            await me.until(lambda: copied.texts == ["https://docs.example/x"])

    async def test_a_link_is_opened_by_a_click(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        daemon = with_chat(answer(1, "See [the manual](https://docs.example/x) now."))
        async with client(tmp_path, daemon=daemon, chat_id="a") as me:
            opened: list[Any] = []
            monkeypatch.setattr(me.app, "open_url", opened.append)
            await me.shows("the manual")
            await me.pilot.click(offset=spot(me, "manual"))
            await me.until(lambda: opened == ["https://docs.example/x"])

    @pytest.mark.parametrize("target", ["javascript:alert(1)", "file:///etc/passwd", "x-thing:y"])
    async def test_what_is_no_address_of_the_web_cannot_be_opened(
        self, tmp_path: Path, target: str
    ) -> None:
        daemon = with_chat(answer(1, f"See [the manual]({target}) now."))
        async with client(tmp_path, daemon=daemon, chat_id="a") as me:
            await me.shows("the manual")
            await me.press("ctrl+t", "comma")
            assert me.transcript.target_cursor.target is None

    async def test_what_a_call_gave_is_copied_folded_or_not(self, tmp_path: Path) -> None:
        daemon = with_chat(*finished_turn()[:5])
        async with client(tmp_path, daemon=daemon, chat_id="a") as me:
            copied = taking(me)
            await me.shows("▸ 2 steps")
            await me.press("ctrl+t", "z", "z", "comma", "enter", "full_stop", "full_stop", "c")
            await me.until(lambda: copied.texts)
            assert copied.texts[0].startswith("1\tasync def test_relay")

    async def test_without_anything_selected_the_last_answer_is_copied_as_it_was_written(
        self, tmp_path: Path
    ) -> None:
        evil = "**a**\x1b[31m\u202e b\r\nc"
        daemon = with_chat(user(1, "x"), answer(2, evil))
        async with client(tmp_path, daemon=daemon, chat_id="a") as me:
            copied = taking(me)
            await me.shows("␛[31m")
            await me.press("ctrl+t", "c")
            await me.until(lambda: copied.texts == [evil])


class TestJumps:
    def chat(self) -> ReplayClient:
        return with_chat(
            *[
                (user if n % 2 else answer)(n, f"number {n}\n\n" + "text\n\n" * 9)
                for n in range(1, 9)
            ]
        )

    async def test_one_goes_from_message_to_message(self, tmp_path: Path) -> None:
        async with client(tmp_path, daemon=self.chat(), chat_id="a") as me:
            await me.shows("text")
            await me.press("ctrl+t")
            seen = []
            for key in ["left_square_bracket"] * 3 + ["right_square_bracket"]:
                await me.press(key)
                seen.append(target_of(me).key)
                line = me.transcript.target_cursor.line
                assert line is not None
                row = line - me.transcript.scroll_offset.y
                assert row == 0
            assert seen == [7, 6, 5, 6]

    async def test_one_goes_to_ones_own_messages(self, tmp_path: Path) -> None:
        async with client(tmp_path, daemon=self.chat(), chat_id="a") as me:
            await me.shows("text")
            await me.press("ctrl+t", "left_curly_bracket", "left_curly_bracket")
            assert target_of(me).key == 5
            await me.shows("number 5")
            await me.press("right_curly_bracket")
            assert target_of(me).key == 7
            await me.press("right_curly_bracket")
            assert me.transcript.viewport.following

    async def test_a_message_that_is_pointed_at_is_copied_whole(self, tmp_path: Path) -> None:
        async with client(tmp_path, daemon=self.chat(), chat_id="a") as me:
            copied = taking(me)
            await me.shows("text")
            await me.press("ctrl+t", "left_square_bracket", "left_square_bracket", "Y")
            await me.until(lambda: copied.texts == ["number 6\n\n" + "text\n\n" * 9])
