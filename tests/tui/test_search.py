"""Searching a conversation, also in folded text and in messages that are not fetched yet."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.wire.events import MessageEvent
from palaver_tui.text.spans import Line, Span
from palaver_tui.transcript.matches import Occurrences, Query, plain_json
from tui.long_chat import LongChat, history
from tui.replay import answer, part, status, user
from tui.screen import Client, client
from tui.sheet import finished_turn
from tui.test_client import LONG, running, with_chat


def lines(*texts: str) -> list[Line]:
    return [Line((Span(text),)) for text in texts]


def found(query: str, *texts: str) -> list[str]:
    """Return the text of each match, with `|` between lines."""
    return [
        "|".join(texts[line][start:end] for line, start, end in stretches)
        for stretches in Query(query).stretches_in(texts)
    ]


class TestQueries:
    def test_case_does_not_matter(self) -> None:
        assert found("relay", "Relay and RELAY") == ["Relay", "RELAY"]

    def test_words_are_found_across_a_line_that_was_wrapped(self) -> None:
        assert found("drain timer", "the drain", "  timer waits") == ["drain|  timer"]

    def test_marks_of_patterns_are_only_characters(self) -> None:
        assert found("a.b(", "a.b( axb(") == ["a.b("]

    @pytest.mark.parametrize("text", ["", "  ", "\n"])
    def test_blanks_find_nothing(self, text: str) -> None:
        assert Query(text).empty
        assert found(text, "some words") == []

    def test_hostile_characters_are_found_as_they_are_shown(self) -> None:
        assert found("\x1b[2J", "␛[2J") == ["␛[2J"]

    @given(st.text(alphabet="ab *_", max_size=60), st.text(alphabet="ab", min_size=1, max_size=3))
    def test_what_has_a_word_is_worth_a_look(self, text: str, word: str) -> None:
        if word in text:
            assert Query(word).may_be_in([text])


class TestOccurrences:
    @given(st.data())
    def test_reading_only_what_changed_finds_what_reading_all_finds(
        self, data: st.DataObject
    ) -> None:
        rows = st.lists(st.text(alphabet="ab ", max_size=4), max_size=8)
        query = Query(data.draw(st.sampled_from(["a", "aa", "a b", "b a b", "ab ab"])))
        occurrences = Occurrences(query)
        shown: list[Any] = []
        for _ in range(4):
            at = data.draw(st.integers(0, len(shown)))
            shown = [*shown[:at], *lines(*data.draw(rows))]
            occurrences.update(shown)
            assert occurrences.found == list(query.stretches_in([line.text for line in shown]))
            for number, line in enumerate(shown):
                on_it = [
                    (start, end, which)
                    for which, pieces in enumerate(occurrences.found)
                    for at_line, start, end in pieces
                    if at_line == number
                ]
                assert list(occurrences.on(number)) == on_it, line

    @pytest.mark.parametrize("gap", [[], ["", " "]])
    def test_words_are_found_across_the_line_that_came_last(self, gap: list[str]) -> None:
        occurrences, shown = Occurrences(Query("one two three")), lines("one", *gap, "two")
        occurrences.update(shown)
        assert occurrences.found == []
        occurrences.update([*shown, *lines("three")])
        assert len(occurrences.found) == 1

    def test_of_a_text_that_grows_only_the_end_is_read(self) -> None:
        occurrences, shown = Occurrences(Query("not in")), lines(*["so many words"] * 1000)
        assert occurrences.update(shown) == 13_000
        for number in range(10):
            shown = [*shown, *lines(f"and {number} more")]
            assert occurrences.update(shown) < 50


def test_letters_that_json_escapes_are_found_as_they_read() -> None:
    assert Query("écrit").may_be_in([plain_json(r'{"a": "\u00e9crit"}')])
    assert Query("𠀀").may_be_in([plain_json(r'{"a": "\ud840\udc00"}')])


async def search(me: Client, text: str) -> None:
    await me.press("ctrl+f")
    await me.press(*["space" if character == " " else character for character in text])


async def test_what_is_typed_is_found_counted_and_stepped_through(tmp_path: Path) -> None:
    daemon = with_chat(
        answer(1, "one relay"), user(2, "two relay"), answer(3, LONG), answer(4, "last *relay*")
    )
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(100, 24)) as me:
        await me.shows("last relay")
        await search(me, "relay")
        await me.shows("3 of 3")
        await me.press("enter")
        await me.shows("2 of 3", "two relay")
        await me.press("up")
        await me.shows("1 of 3", "one relay")
        await me.press("down", "down")
        await me.shows("3 of 3", "last relay")
        await me.press("down")
        await me.shows("Nothing found after this, at the end.")


async def test_escape_ends_the_search_first_and_stops_nothing(tmp_path: Path) -> None:
    daemon = running(user(1, "relay"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        daemon.stream_of("a").tell(part("one relay more", episode="1.1"))
        await me.shows("one relay more")
        await search(me, "relay")
        await me.shows("2 of 2", "Esc end search")
        await me.press("escape")
        await me.hides("2 of 2")
        assert daemon.interrupts == []
        assert me.transcript.has_focus
        assert not me.transcript.search.active
        await me.press("escape")
        await me.until(lambda: daemon.interrupts)


async def test_from_the_conversation_single_letters_step_on(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "relay one"), answer(2, "relay two"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("relay two")
        await me.press("ctrl+t", "slash", "r", "e", "l")
        await me.shows("2 of 2")
        await me.press("ctrl+t", "n")
        await me.shows("1 of 2")
        await me.press("N")
        await me.shows("2 of 2")


def highlighted(me: Client) -> list[str]:
    """Return the texts with the background of matches."""
    from palaver_tui.themes.palettes import DARK

    papers = {DARK.found, DARK.found_here}
    return [
        segment.text
        for strip in me.app.screen._compositor.render_strips()
        for segment in strip
        if segment.style and segment.style.bgcolor and segment.style.bgcolor.name in papers
    ]


async def test_what_is_found_is_highlighted_and_the_current_one_differently(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "Relay one"), answer(2, "a **relay** two"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("relay two")
        await search(me, "relay")
        await me.shows("2 of 2")
        assert highlighted(me) == ["Relay", "relay"]


async def test_a_match_in_something_folded_unfolds_it(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(*finished_turn()), chat_id="a") as me:
        await me.shows("▸ 3 steps")
        await search(me, "test_20.py")
        await me.shows("1 of 1", "tests/test_20.py")
        assert highlighted(me) == ["test_20.py"]


async def test_a_match_in_reasoning_unfolds_it(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chat(*finished_turn()), chat_id="a") as me:
        await me.shows("▸ 3 steps")
        await search(me, "runs second leaks")
        await me.shows("1 of 1", "▾ thought for 3.2 s", "Whichever runs second leaks")


async def test_text_that_streams_in_is_found_too_without_a_jump(tmp_path: Path) -> None:
    daemon = running(user(1, "relay"), answer(2, LONG))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("paragraph 59")
        await search(me, "relay")
        await me.shows("1 of 1", "▎ relay")
        top = me.transcript.scroll_offset.y
        daemon.stream_of("a").tell(part("another relay", episode="2.1"))
        await me.shows("1 of 2")
        assert me.transcript.scroll_offset.y == top


async def test_older_messages_are_read_until_one_has_it_and_only_few_are_kept(
    tmp_path: Path,
) -> None:
    daemon = LongChat(history(3000, m700="the **needle** is here"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("message 3000 says")
        await search(me, "needle")
        await me.shows("none here · ⏎ searches older messages")
        await me.press("enter")
        await me.shows("1 of 1", "the needle is here")
        assert len(me.view.messages) < 200
        assert highlighted(me) == ["needle"]
        await me.press("escape", "G")
        await me.shows("message 3000 says")


async def test_matches_are_stepped_through_from_page_to_page_and_back(tmp_path: Path) -> None:
    marked = {"m2000": "needle c", "m1000": "needle b", "m10": "needle a"}
    daemon = LongChat(history(3000, **marked))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("message 3000 says")
        await search(me, "needle")
        for words in ("needle c", "needle b", "needle a"):
            await me.press("enter")
            await me.shows(words)
        await me.press("enter")
        await me.shows("Nothing found before this")
        for words in ("needle b", "needle c"):
            await me.press("down")
            await me.shows(words)


async def test_where_nothing_is_found_it_is_said_how_much_was_searched(tmp_path: Path) -> None:
    daemon = LongChat(history(1000))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("message 1000 says")
        await search(me, "needle")
        here = len(me.view.messages)
        await me.press("enter")
        await me.shows("Nothing found before this", f"{1000 - here} messages")
        assert "message 1000 says" in me.text()


async def test_words_that_stand_apart_are_no_match_in_older_messages(tmp_path: Path) -> None:
    daemon = LongChat(history(1000, m700="green and blue", m300="so green blue it is"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("message 1000 says")
        await search(me, "green blue")
        await me.press("enter")
        await me.shows("1 of 1", "so green blue it is")


async def test_a_search_that_was_ended_shows_nothing_later(tmp_path: Path) -> None:
    daemon = LongChat(history(3000, m700="the needle"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("message 3000 says")
        await search(me, "needle")
        daemon.answers.clear()
        await me.press("enter")
        await me.shows("searching older messages")
        await me.press("escape")
        daemon.answers.set()
        await me.until(lambda: daemon.served)
        await me.pilot.pause()
        assert "message 3000 says" in me.text()
        for _ in range(10):
            await me.pilot.pause()
        assert "Nothing found" not in me.text()
        assert len(daemon.served) < 5
        assert me.view.messages[0].id > 2000


@pytest.mark.parametrize("returns", [False, True])
async def test_a_search_goes_on_in_another_chat_while_older_messages_were_sought(
    tmp_path: Path, returns: bool
) -> None:
    daemon = LongChat(history(1000, m700="the needle"))
    daemon.stream_of("b").tell(
        MessageEvent(user(5, "needle")), MessageEvent(answer(6, "needle")), status(title="B")
    )
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("message 1000 says")
        await search(me, "needle")
        daemon.answers.clear()
        await me.press("enter")
        await me.shows("searching older messages")
        me.app.session.open("b")
        await me.shows("2 of 2")
        await me.press("enter")
        await me.shows("1 of 2")
        if returns:
            me.app.session.open("a")
            await me.shows("searching older messages")
        daemon.answers.set()
        await me.until(lambda: daemon.served)
        if not returns:
            await me.pilot.pause()
            me.app.session.open("a")
            await me.shows("none here")
            await me.press("enter")
        await me.shows("1 of 1", "the needle")


async def test_a_search_that_meets_an_empty_chat_goes_on_in_the_next(tmp_path: Path) -> None:
    daemon = LongChat(history(1000, m700="the needle"))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("message 1000 says")
        await search(me, "needle")
        daemon.answers.clear()
        await me.press("enter")
        await me.shows("searching older messages")
        me.app.session.new_chat()
        await me.hides("searching older messages")
        daemon.answers.set()
        me.app.session.open("a")
        await me.until(lambda: not me.app.session.message_pages.seeking)
        await me.press("enter")
        await me.shows("1 of 1", "the needle")


async def test_another_chat_is_searched_for_the_same(tmp_path: Path) -> None:
    daemon = with_chat(user(1, "relay here"))
    daemon.stream_of("b").tell(
        MessageEvent(user(5, "relay")), MessageEvent(answer(6, "relay")), status(title="B")
    )
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("relay here", "Second chat")
        await search(me, "relay")
        await me.shows("1 of 1")
        me.app.session.open("b")
        await me.shows("of 2")
