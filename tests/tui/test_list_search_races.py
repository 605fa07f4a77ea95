"""What can go wrong between typing into the filter, the daemon's answer, and Enter."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from palaver.client import Connected, ConnectionLost
from palaver.wire.chats import Info
from palaver.wire.events import CaughtUp, ChatDeleted, MessageEvent
from palaver.wire.messages import MessagePage
from palaver.wire.protocol import CAPABILITIES, SEARCH
from palaver.wire.search import SearchPage
from palaver_tui.actions.found_message import GONE
from palaver_tui.session.list_search import UNCONNECTED
from palaver_tui.timing import LIST_SEARCH_AFTER_S
from tui.replay import ReplayClient, Told, answer, chat, hit, problem, status, user
from tui.screen import Client, client
from tui.searching import (
    IN_MESSAGES,
    answered,
    found,
    hits,
    marked_words,
    pass_pause,
    type_filter,
    type_on,
)

FIX = chat("a", "Fix the flaky test")
NOTES = chat("b", "Release notes", minutes_ago=1)
OLD = chat("z", "From long ago", minutes_ago=5000)  # in no page that was fetched
LONG = "\n\n".join(f"paragraph {number}" for number in range(60))


def with_chats() -> ReplayClient:
    daemon = ReplayClient()
    daemon.open(FIX, NOTES)
    daemon.known[OLD.id] = OLD
    daemon.found["relay*"] = SearchPage([hit(NOTES, "why the ", "relay", " hangs", message_id=4)])
    daemon.found["timer*"] = SearchPage([hit(OLD, "a ", "timer", " leaks", message_id=2)])
    said = [user(2, "first"), answer(4, f"why the relay hangs\n\n{LONG}")]
    for one in (NOTES, OLD):
        daemon.stream_of(one.id).tell(
            status("waiting", one.title), *map(MessageEvent, said), CaughtUp(1)
        )
    return daemon


async def is_live(me: Client) -> None:
    await me.until(lambda: me.app.session.connection.phase == "live" and me.app.session.info)
    await me.shows("Release notes")


async def test_only_what_is_typed_at_last_is_asked_after_a_pause(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await is_live(me)
        await type_filter(me, "re")
        me.clock.advance(LIST_SEARCH_AFTER_S - 0.1)
        await type_on(me, "lay")
        me.clock.advance(LIST_SEARCH_AFTER_S - 0.1)
        await me.pilot.pause()
        assert me.daemon.searched == []
        await me.shows(f"{IN_MESSAGES} …")
        await answered(me)
        assert me.daemon.searched == [("relay*", False)]
        await me.shows(IN_MESSAGES, "why the relay hangs")


async def test_keys_do_not_wait_for_an_answer_and_a_late_one_is_not_shown(tmp_path: Path) -> None:
    daemon = with_chats()
    daemon.search_answers.clear()
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "relay")

        def is_asked() -> bool:
            pass_pause(me)
            return bool(daemon.searched)

        await me.until(is_asked)
        await type_on(me, " zebra")  # arrives while the question is open
        daemon.search_answers.set()
        await answered(me)
        await me.shows(f"{IN_MESSAGES}: none")
        assert daemon.searched == [("relay*", False), ("relay zebra*", False)]
        assert hits(me) == []


async def test_an_answer_that_comes_after_the_filter_was_closed_changes_nothing(
    tmp_path: Path,
) -> None:
    daemon = with_chats()
    daemon.search_answers.clear()
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "relay")

        def is_asked() -> bool:
            pass_pause(me)
            return bool(daemon.searched)

        await me.until(is_asked)
        await me.press("escape")
        daemon.search_answers.set()
        await me.pilot.pause()
        await me.shows("Fix the flaky test", "Release notes")
        assert IN_MESSAGES not in me.text()
        assert found(me) is None


async def test_words_about_chats_are_no_words_to_look_for_in_messages(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await is_live(me)
        await type_filter(me, "status:idle")
        await me.hides(IN_MESSAGES)  # it was there while the first letters were a word
        assert not me.app.session.list_search.waits


@pytest.mark.parametrize("again", ["type", "connect"])
async def test_without_a_connection_only_titles_are_searched_until_it_is_back(
    tmp_path: Path, again: str
) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "rela")
        daemon.watching.tell(ConnectionLost("cut", me.clock.now(), 0.5))
        await me.until(lambda: me.app.session.connection.phase == "reconnecting")
        await answered(me)
        await me.shows(IN_MESSAGES, *UNCONNECTED.split()[:2])
        assert daemon.searched == []
        if again == "type":
            await type_on(me, "y")
            await answered(me)
            await me.shows(*UNCONNECTED.split()[:2])
        daemon.found["rela*"] = daemon.found["relay*"]
        daemon.watching.tell(Connected())
        await me.shows("why the relay hangs")
        await me.hides("Without")


async def test_an_error_of_the_daemon_is_a_sentence_under_the_titles(tmp_path: Path) -> None:
    daemon = with_chats()
    daemon.search_refusal = problem("The database is locked \x1b[31mby another program.", 503)
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "re")
        await answered(me)
        await me.shows("Release notes", IN_MESSAGES, "The database is locked", "␛[31mby")
        daemon.search_refusal = None
        await type_on(me, "lay")
        await answered(me)
        await me.shows("why the relay hangs")


async def test_a_daemon_without_the_search_says_so_once_and_finds_titles(tmp_path: Path) -> None:
    daemon = with_chats()
    older = [one for one in CAPABILITIES if one != SEARCH]
    daemon.told = Info("0.0.9", 1, FIX.created_at, "/data", older)
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "rel")
        await me.shows("The daemon is of version 0.0.9", "Release notes")
        me.app.clear_notifications()
        await me.hides("The daemon is of")
        await type_on(me, "ay")
        await me.shows("none fits")
        await me.press("escape", "slash", "q")
        await me.shows("none fits")
        assert "The daemon is of" not in me.text()
        assert IN_MESSAGES not in me.text()
        assert daemon.searched == []


async def test_text_of_a_snippet_or_title_cannot_drive_the_terminal(tmp_path: Path) -> None:
    daemon = with_chats()
    bad = msgspec.structs.replace(OLD, title="a\x1b]0;title\x07b\u202e")
    daemon.found["relay*"] = SearchPage([hit(bad, "\x1b[2J[b]", "re\x1blay", "\u202e\x9bend\n")])
    async with client(tmp_path, daemon=daemon, size=(120, 40)) as me:
        await is_live(me)
        await type_filter(me, "relay")
        await answered(me)
        await me.shows("a␛]0;title␇b", "␛[2J[b]re␛lay")
        text = me.text()
        assert not [one for one in text if one in "\x1b\x07\x9b\u202e"]


async def test_a_chat_that_was_not_in_the_list_is_shown_at_its_message(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await is_live(me)
        await type_filter(me, "timer")
        await answered(me)
        await me.shows("From long ago", "a timer leaks")
        await me.press("enter")
        # The words were divided by an edit since: the message itself is marked.
        await me.until(lambda: me.view.chat_id == "z" and me.transcript.landing.active)
        assert "you" in marked_words(me)[0]
        await me.shows("From long ago")


async def test_a_chat_that_is_deleted_before_enter_is_said_once(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "timer")
        await answered(me)
        await me.until(lambda: len(hits(me)) == 1)
        del daemon.known["z"]
        daemon.streams["z"].queue.get_nowait()
        daemon.streams["z"].refuse("There is no chat z.")
        await me.press("enter")
        await me.shows("There is no chat z.")
        assert me.text().count("There is no chat z.") == 1
        await me.until(lambda: me.view.chat_id != "z")
        assert not me.transcript.landing.active


async def test_a_chat_that_was_deleted_is_no_hit_any_more(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "timer")
        await answered(me)
        await me.until(lambda: len(hits(me)) == 1)
        daemon.watching.tell(ChatDeleted("z"))
        await me.until(lambda: hits(me) == [])
        await me.shows(f"{IN_MESSAGES}: none")


async def test_a_message_that_is_no_more_leaves_the_chat_at_its_end(tmp_path: Path) -> None:
    daemon = with_chats()
    daemon.found["relay*"] = SearchPage([hit(NOTES, "", "relay", message_id=3)])
    daemon.pages[4] = MessagePage([user(2, "first")], more=False)
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "relay")
        await answered(me)
        await me.press("enter")
        await me.shows(GONE.partition(":")[0], "paragraph 59")
        assert not me.transcript.landing.active


async def test_the_messages_around_are_fetched_when_the_newest_ones_are_there(
    tmp_path: Path,
) -> None:
    daemon = with_chats()
    stream = daemon.streams["z"] = Told()
    daemon.pages[3] = MessagePage([user(2, "a timer leaks")], more=False)
    daemon.pages[None] = MessagePage([answer(3, "so it does")], more=True)
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "timer")
        await answered(me)
        await me.press("enter")
        await me.until(lambda: "z" in dict(daemon.positions))
        await me.pilot.pause()
        assert daemon.pages_asked == []
        stream.tell(status("waiting", OLD.title), MessageEvent(user(90, "new")), CaughtUp(1))
        await me.until(lambda: marked_words(me) == ["timer"])
        assert daemon.pages_asked[:2] == [(3, None), (None, 2)]
        assert [one.id for one in me.view.messages][:2] == [2, 3]
        assert 90 in [one.id for one in me.view.messages]


async def test_who_scrolls_while_the_message_is_fetched_is_not_moved(tmp_path: Path) -> None:
    daemon = with_chats()
    daemon.found["relay*"] = SearchPage([hit(NOTES, "", "relay", message_id=3)])
    daemon.pages[4] = MessagePage([user(3, "the relay")], more=False)
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "relay")
        await answered(me)
        daemon.answers.clear()
        await me.press("enter")
        await me.shows("paragraph 59")
        await me.press("pageup")
        top = me.transcript.viewport.top
        daemon.answers.set()
        await me.until(lambda: len(me.view.messages) == 3)
        assert not me.transcript.landing.active
        assert me.transcript.viewport.top >= top


async def test_enter_before_there_is_anything_to_open_asks_at_once(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await is_live(me)
        await type_filter(me, "relay")
        await me.press("enter")
        await me.shows("why the relay hangs")
        assert me.app.context.list_filter.text == "relay"
        await me.press("enter")
        await me.until(lambda: marked_words(me) == ["relay"])
        assert me.view.chat_id == "b"
        # Until the next move: then nothing is marked.
        await me.press("pagedown")
        assert not me.transcript.landing.active


async def test_a_click_on_a_snippet_goes_to_the_message_and_on_the_heading_nowhere(
    tmp_path: Path,
) -> None:
    async with client(tmp_path, daemon=with_chats()) as me:
        await is_live(me)
        await type_filter(me, "relay")
        await answered(me)
        await me.shows("why the relay hangs")
        rows = me.text().splitlines()
        heading, snippet = (
            next(n for n, row in enumerate(rows) if words in row)
            for words in (IN_MESSAGES, "why the relay hangs")
        )
        top = me.app.main.chat_list.region.y
        await me.pilot.click("#chats", offset=(5, heading - top))
        assert me.view.chat_id is None
        await me.pilot.click("#chats", offset=(5, snippet - top))
        await me.until(lambda: me.view.chat_id == "b" and marked_words(me) == ["relay"])


async def test_what_is_not_shown_of_an_answer_is_said(tmp_path: Path) -> None:
    daemon = with_chats()
    some = daemon.found["relay*"].hits
    daemon.found["relay*"] = SearchPage(some, next_cursor="x", complete=False, indexed=0.4)
    async with client(tmp_path, daemon=daemon) as me:
        await is_live(me)
        await type_filter(me, "relay")
        await answered(me)
        await me.shows("Only the best ones", "So far 40% of")
