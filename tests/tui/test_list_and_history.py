"""Filtering and renaming chats, and recalling earlier messages."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual import events

from palaver.wire.events import CaughtUp, MessageEvent, QueueUpdate
from palaver.wire.messages import Reasoning
from palaver_tui.state.chat_list import EMPTY, rows
from tui.replay import ReplayClient, answer, chat, part, queued, status, user
from tui.screen import client

CHATS = [
    chat("a", "Fix the flaky test", "error"),
    chat("b", "Release notes", "paused", minutes_ago=1),
    chat("c", "Flaky network", "running", minutes_ago=2),
]


def shown(filter_text: str) -> str:
    known = replace(EMPTY, chats={one.id: one for one in CHATS})
    return "".join(row.chat.id for row in rows(known, filter_text))


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ("", "abc"),
        ("flaky", "ac"),
        ("FLAKY test", "a"),
        ("status:failed", "a"),
        ("status:error", "a"),
        ("status:held", "b"),
        ("flaky status:run", "c"),
        ("status:", "abc"),
        ("nothing", ""),
    ],
)
def test_a_filter_finds_words_of_the_title_and_states(filter_text: str, found: str) -> None:
    assert shown(filter_text) == found


def with_chats() -> ReplayClient:
    daemon = ReplayClient()
    daemon.open(*CHATS)
    daemon.stream_of("b").tell(status("waiting", "Release notes"), CaughtUp(1))
    return daemon


async def test_the_list_is_filtered_as_one_types_and_enter_opens_what_is_left(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await me.shows("Flaky network")
        await me.press("ctrl+l", "slash", "r", "e", "j", "backspace", "l")
        await me.shows("/rel", "Release notes", "Esc clear filter")
        await me.hides("Flaky network")
        await me.press("enter")
        await me.shows("Flaky network")
        assert me.view.chat_id == "b"
        assert me.composer.has_focus


async def test_the_ends_of_the_list_are_a_key_away_from_a_chat_that_is_not_in_it(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await me.shows("Flaky network")
        await me.press("ctrl+l", "end")
        await me.until(lambda: me.view.chat_id == "c")
        await me.press("home")
        await me.until(lambda: me.view.chat_id == "a")


async def test_keys_that_come_faster_than_frames_each_move_on(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await me.shows("Flaky network")
        for _ in range(3):
            me.app.perform("chats.down")
        assert me.view.chat_id == "c"


async def test_a_filter_and_enter_in_one_go_open_what_fits(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await me.shows("Flaky network")
        await me.press("ctrl+l")
        me.tap("slash", "r", "e", "l", "enter")
        await me.until(lambda: me.view.chat_id == "b")
        await me.until(lambda: me.composer.has_focus and me.app.context.list_filter.text is None)
        await me.shows("Flaky network", "Release notes")


async def test_what_is_typed_after_enter_is_not_sent_with_it(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("Flaky network")
        me.tap(*"one", "ctrl+j", *"two", "enter", *"next")
        await me.until(lambda: daemon.sent)
        assert [request.content for _to, request, _key in daemon.sent] == ["one\ntwo"]
        await me.until(lambda: me.composer.text == "next")


async def test_escape_clears_a_filter_before_it_does_anything_else(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats(), chat_id="c") as me:
        me.daemon.stream_of("c").tell(status("running", "Flaky network"), CaughtUp(1))
        await me.until(lambda: me.view.status == "running")
        await me.press("ctrl+l", "slash", "x", "x")
        await me.shows("no title fits")
        await me.press("escape")
        await me.shows("Release notes")
        assert me.daemon.interrupts == []


async def test_a_chat_is_renamed_from_the_list(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats(), chat_id="b") as me:
        await me.until(lambda: me.view.title == "Release notes")
        await me.press("ctrl+l", "r")
        await me.shows("Title of this chat")
        await me.press("end", "!", "enter")
        await me.until(lambda: me.daemon.asked == [("title", "Release notes!")])
        await me.hides("Title of this chat")


async def test_of_a_title_that_is_too_long_as_much_is_taken_as_fits(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats(), chat_id="b") as me:
        await me.until(lambda: me.view.title == "Release notes")
        await me.press("ctrl+l", "r")
        await me.shows("Title of this chat")
        await me.press("end")
        focused = me.app.screen.focused
        assert focused is not None
        focused.post_message(events.Paste("x" * 300))
        await me.press("y", "enter")
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [("title", "Release notes" + "x" * 187)]


async def test_a_chat_that_does_not_exist_yet_is_not_renamed(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await me.shows("Flaky network")
        await me.press("ctrl+l", "r")
        assert len(me.app.screen_stack) == 1


def with_history() -> ReplayClient:
    daemon = ReplayClient()
    daemon.open(chat("a", "A chat"))
    said = [user(1, "first"), answer(2, "x"), user(3, "two\nlines"), answer(4, "y")]
    daemon.stream_of("a").tell(*[MessageEvent(message) for message in said], CaughtUp(1))
    return daemon


async def test_up_in_an_empty_composer_goes_back_through_what_was_written(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_history(), chat_id="a") as me:
        await me.until(lambda: len(me.view.messages) == 4)
        texts = []
        for key in ("up", "up", "up", "up", "down", "down", "down"):
            await me.press(key)
            texts.append(me.composer.text)
        two = "two\nlines"
        # In a message of two lines the cursor moves first.
        assert texts == [two, two, "first", "first", two, "", ""]


async def test_what_is_being_written_is_not_replaced_by_history(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_history(), chat_id="a") as me:
        await me.until(lambda: len(me.view.messages) == 4)
        await me.press("up")
        await me.write("!")
        await me.press("up", "up", "up", "down", "down")
        assert me.composer.text == "two\nlines!"


async def test_up_takes_back_what_is_queued_rather_than_what_was_said(tmp_path: Path) -> None:
    daemon = with_history()
    daemon.stream_of("a").tell(
        status("running"), QueueUpdate([queued(1, "waits")], held=False), CaughtUp(2)
    )
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: len(me.view.queue) == 1)
        await me.press("up")
        await me.shows("editing message 1 of the queue")
        assert me.composer.text == "waits"


async def test_reasoning_is_folded_until_it_is_asked_for_live_and_committed(tmp_path: Path) -> None:
    daemon = ReplayClient()
    daemon.open(chat("a", "A chat", "running"))
    thought = Reasoning("It is short waves.", 3200)
    daemon.stream_of("a").tell(
        MessageEvent(user(1, "why?")),
        MessageEvent(answer(2, thought, "Because.")),
        status("running"),
        part("And now the rest.", 0, 0, "3.1", "reasoning"),
        CaughtUp(1),
    )
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("thought for 3.2 s", "thinking · 4 words")
        assert "short waves" not in me.text()
        await me.press("ctrl+r")
        await me.shows("It is short waves.", "And now the rest.")
        await me.press("ctrl+r")
        await me.hides("short waves")
