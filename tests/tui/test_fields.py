"""Fields keep any text unchanged, and draw it without control characters."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.color import Color

from palaver.wire.events import QueueUpdate
from palaver_tui.text.visible import one_for_one
from palaver_tui.textual_patches.backstop import Backstop
from palaver_tui.textual_patches.fields import ShownDocument, ShownInput
from palaver_tui.widgets.search_bar import SearchInput
from tui.hostile_client import ALL, EVIL
from tui.replay import queued, user
from tui.screen import client
from tui.test_client import with_chat
from tui.test_hostile import CONTROL

EVIL_TEXTS = {name: text for name, text in EVIL.items() if name != "surrogate"}
SPECIMEN = "hi \x1b]0;evil\x07 \x1b[2J\x9b1m \u202eabc\u200b"
SHOWN = "hi ␛]0;evil␇ ␛[2J\ufffd1m \ufffdabc\ufffd"
ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


class TestOneForOne:
    @given(st.text())
    def test_places_stay_and_no_control_is_left(self, text: str) -> None:
        shown = one_for_one(text)
        assert len(shown) == len(text)
        assert not CONTROL.search(shown.replace("\t", ""))
        shown.encode()

    def test_each_control_has_a_width(self) -> None:
        controls = [*range(0x09), *range(0x0A, 0x20), *range(0x7F, 0xA0), 0x200B, 0x202E, 0x2028]
        assert {cell_len(one_for_one(chr(code))) for code in controls} == {1}


class TestDocuments:
    @given(st.text(alphabet="ab\t\x1b" + ENDS))
    def test_the_text_is_as_it_was_given(self, text: str) -> None:
        document = ShownDocument(text)
        assert document.text == text
        assert document.lines == [one_for_one(line) for line in text.split("\n")]
        assert [document[row] for row in range(document.line_count)] == document.lines

    @given(st.text(alphabet="ab\x1b" + ENDS), st.text(alphabet="ab\x1b" + ENDS), st.data())
    def test_a_replacement_is_that_of_a_string(
        self, text: str, new: str, data: st.DataObject
    ) -> None:
        low, high = sorted(data.draw(st.integers(0, len(text))) for _ in range(2))
        document = ShownDocument(text)
        start, end = (document.get_location_from_index(index) for index in (low, high))
        done = document.replace_range(start, end, new)
        assert done.replaced_text == text[low:high]
        assert document.text == text[:low] + new + text[high:]
        assert document.lines == [one_for_one(line) for line in document.text.split("\n")]
        assert document.get_index_from_location(done.end_location) == low + len(new)


def test_nothing_that_drives_a_terminal_passes_the_last_filter() -> None:
    segments = [Segment("a\x1b[2J\x9bb\u202ec\udc00", None)]
    assert Backstop().apply(segments, Color(0, 0, 0)) == [Segment("a[2Jbc\ufffd", None)]


@pytest.fixture
def no_backstop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the last filter, so that fields must not draw control characters themselves."""
    monkeypatch.setattr(Backstop, "apply", lambda self, segments, background: segments)


async def test_a_hostile_message_is_recalled_as_it_was_and_shown_harmless(
    tmp_path: Path, no_backstop: None
) -> None:
    daemon = with_chat(user(1, SPECIMEN))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("evil␇")
        await me.press("up")
        assert me.composer.text == SPECIMEN
        assert me.text().count(SHOWN) == 1
        assert not CONTROL.search(me.text().replace("\n", ""))


@pytest.mark.parametrize("name", EVIL_TEXTS)
async def test_a_hostile_queued_message_is_edited_as_it_was(
    tmp_path: Path, no_backstop: None, name: str
) -> None:
    daemon = with_chat(user(1, "hello"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("hello")
        daemon.stream_of("a").tell(QueueUpdate([queued(1, EVIL[name])], held=True))
        await me.until(lambda: me.view.queue)
        await me.press("up")
        assert me.composer.text == EVIL[name]
        await me.shows(one_for_one(EVIL[name])[-8:])
        assert not CONTROL.search(me.text().replace("\n", ""))
        await me.press("x", "enter")
        await me.until(lambda: daemon.asked)
        assert daemon.asked == [("edit", 1, EVIL[name] + "x")]


async def test_the_cursor_stands_and_the_mouse_points_where_it_is_drawn(
    tmp_path: Path, no_backstop: None
) -> None:
    daemon = with_chat(user(1, "hello"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("hello")
        me.composer.load_text(SPECIMEN)
        me.composer.move_cursor(me.composer.document.end)
        assert me.composer.cursor_screen_offset.x - me.composer.content_region.x == len(SPECIMEN)
        await me.pilot.click("#composer", offset=(5, 0))
        assert me.composer.cursor_location == (0, 5)


async def test_lines_full_of_controls_are_wrapped_in_view(
    tmp_path: Path, no_backstop: None
) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "hello")), chat_id="a") as me:
        await me.shows("hello")
        me.composer.load_text("\x1b" * 300 + "end")
        await me.pilot.pause()
        assert me.composer.wrapped_document.height > 1
        assert me.text().count("␛") == 300


@pytest.mark.parametrize("pasted", ["a\r\nb\rc\nd"])
async def test_what_is_pasted_has_line_feeds_for_whatever_the_terminal_sent(
    tmp_path: Path, pasted: str
) -> None:
    async with client(tmp_path) as me:
        await me.shows("Write a message")
        me.app.post_message(events.Paste(pasted))
        await me.until(lambda: me.composer.text == "a\nb\nc\nd")


@pytest.mark.parametrize("event", [events.Paste("late"), events.Key("x", "x")])
async def test_what_comes_back_from_a_field_while_leaving_ends_nothing(
    tmp_path: Path, event: events.Event
) -> None:
    async with client(tmp_path) as me:
        await me.shows("Write a message")
    event._set_forwarded()
    await me.app.on_event(event)


async def test_hostile_text_pasted_into_the_search_is_kept_and_shown_harmless(
    tmp_path: Path, no_backstop: None
) -> None:
    daemon = with_chat(user(1, f"{SPECIMEN} here"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("here")
        await me.press("ctrl+f")
        me.app.post_message(events.Paste(SPECIMEN))
        await me.shows("1 of 1", SHOWN)
        box = me.app.main.query_one(SearchInput)
        assert box.value == SPECIMEN
        # At the end of the text the cursor is after the last character.
        assert box.cursor_screen_offset.x - box.content_region.x == len(SPECIMEN) + 1
        await me.pilot.click(SearchInput, offset=(5, 0))
        assert box.cursor_position == 5
        assert not CONTROL.search(me.text().replace("\n", ""))


async def test_hostile_text_pasted_into_a_title_is_shown_harmless(
    tmp_path: Path, no_backstop: None
) -> None:
    daemon = with_chat(user(1, "hello"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("hello")
        me.app.perform("chat.rename")
        await me.until(lambda: isinstance(me.app.focused, ShownInput))
        me.app.post_message(events.Paste(SPECIMEN))
        await me.shows("evil␇")
        assert not CONTROL.search(me.text().replace("\n", ""))


async def test_a_field_of_the_library_draws_no_control_either(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(user(1, "hello")), chat_id="a") as me:
        await me.shows("hello")
        await me.press("ctrl+p")
        me.app.post_message(events.Paste(ALL.replace("\r", "").replace("\x0b", "")))
        await me.shows("evil-clear")
        assert not CONTROL.search(me.text().replace("\n", ""))


async def test_hostile_text_that_is_cut_from_the_composer_is_copied(tmp_path: Path) -> None:
    async with client(tmp_path) as me:
        await me.shows("Write a message")
        me.composer.load_text(EVIL["surrogate"])
        await me.press("ctrl+a", "ctrl+x")
        assert me.composer.text == ""
        assert me.app.clipboard == "evil-\ufffdsurrogate"


async def test_typing_is_undone_however_much_shorter_the_text_gets(tmp_path: Path) -> None:
    async with client(tmp_path, size=(60, 20)) as me:
        await me.shows("Write a message")
        # All before the next layout, like keys from one read of the terminal.
        me.composer.insert("\n".join("abcdefghijkl"))
        me.composer.undo()
        assert (me.composer.text, me.composer.cursor_location) == ("", (0, 0))
        me.composer.redo()
        assert me.composer.cursor_location == (11, 1)
