"""Archiving, unarchiving and deleting chats, and what happens to drafts and unsent messages."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from palaver.wire.chats import TITLE_LIMIT, ChatPage, ChatStatus
from palaver.wire.events import CaughtUp, ChatDeleted, ChatUpdated, MessageEvent, QueueUpdate
from palaver_tui.session.message_pages import MessagePages
from palaver_tui.state.activity import DRAFT_SIGN, age
from palaver_tui.state.chat import ChatView, Outgoing
from palaver_tui.state.permissions import ARCHIVED, AT_REST, Act, refusal
from palaver_tui.storage.local_store import Draft, LocalStore, Unsent
from palaver_tui.widgets.chat_list import ChatListPane
from palaverd.chatstate.states import ARCHIVED as ARCHIVED_STATES
from palaverd.chatstate.states import STORED
from palaverd.chatstate.table import Transition, outcomes
from tui.replay import T0, ReplayClient, answer, chat, queued, status, user
from tui.screen import Client, client

TITLES = {"a": "Fix the flaky test", "b": "Release notes", "c": "Port the parser"}


def with_chats(*archived: str, **words: ChatStatus) -> ReplayClient:
    """Return a daemon with three chats, `archived` ones or not; `words` are their statuses.

    The default status is `waiting`.
    """
    daemon = ReplayClient()
    made = [
        chat(key, title, words.get(key, "waiting"), minutes_ago=n, archived=key in archived)
        for n, (key, title) in enumerate(TITLES.items())
    ]
    daemon.open(*[one for one in made if not one.archived])
    daemon.archived_pages = {None: ChatPage([one for one in made if one.archived])}
    daemon.known |= {one.id: one for one in made}
    for key, title in TITLES.items():
        said = (MessageEvent(user(1, f"why {key}?")), MessageEvent(answer(2, f"because {key}")))
        word = status(words.get(key, "waiting"), title)
        daemon.stream_of(key).tell(word, *said, CaughtUp(1))
    return daemon


def archived_elsewhere(daemon: ReplayClient, key: str, archived: bool) -> None:
    known = chat(key, TITLES[key], archived=archived)
    daemon.watching.tell(ChatUpdated(known, ["archived"]))


async def test_a_chat_is_archived_from_the_list_and_a_key_brings_it_back(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a", "Release notes")
        assert "archived" not in me.text()
        await me.press("ctrl+l", "a")
        await me.shows("Archived “Fix the flaky test”.", "^z brings it", "A archived")
        assert daemon.asked == [("archived", "a", True)]
        assert me.view.chat_id == "b"  # the next chat
        await me.until(lambda: "a" not in listed(me))
        await me.press("ctrl+z")
        await me.until(lambda: daemon.asked[-1] == ("archived", "a", False))
        await me.until(lambda: me.view.chat_id == "a" and "a" in listed(me))


def listed(me: Client) -> list[str]:
    return [row.chat.id for row in me.app.main.query_one(ChatListPane).rows]


async def test_several_are_taken_back_in_their_order_and_typing_before_them(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a", "Release notes")
        await me.press("ctrl+l", "a")
        await me.until(lambda: "a" not in listed(me))
        await me.press("a")
        await me.until(lambda: listed(me) == ["c"])
        await me.press("ctrl+l", "x")
        assert me.composer.text == "x"
        await me.press("ctrl+z")
        assert me.composer.text == ""
        await me.press("ctrl+z")
        await me.until(lambda: me.view.chat_id == "b")
        await me.press("ctrl+z")
        await me.until(lambda: me.view.chat_id == "a")
        await me.press("ctrl+z")
        await me.shows("There is nothing to take back.")


async def test_archived_from_the_palette_leaves_an_empty_chat(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats(), chat_id="a") as me:
        await me.shows("because a")
        me.app.perform("chat.archive")
        await me.until(lambda: me.app.session.is_draft)
        assert me.composer.has_focus


async def test_the_list_shows_the_archived_ones_with_a_sign_and_a_way_back(tmp_path: Path) -> None:
    daemon = with_chats("b", "c")
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a", "A archived")
        await me.press("ctrl+l", "A")
        await me.shows("Archived", "Release notes", "Port the parser", "A other chats")
        assert listed(me) == ["b", "c"]
        await me.press("down")
        await me.shows("because b", "─ archived ─", "u bring back")
        await me.press("u")
        await me.until(lambda: ("archived", "b", False) in daemon.asked)
        await me.until(lambda: listed(me) == ["c"] and me.view.chat_id == "c")
        await me.press("escape")
        await me.until(lambda: set(listed(me)) == {"a", "b"})


async def test_an_archived_chat_takes_nothing_until_enter_brings_it_back(tmp_path: Path) -> None:
    daemon = with_chats("a")
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a", "archived · ⏎ brings it back")
        await me.write("more")
        await me.press("enter")
        await me.shows("This chat is archived.")
        assert (me.composer.text, daemon.sent) == ("more", [])
        me.composer.load_text("")
        me.clock.advance(2)  # later than `SAME_STROKE_S`, so that this Enter counts
        await me.press("enter")
        await me.until(lambda: daemon.asked == [("archived", "a", False)])
        await me.hides("archived · ⏎")
        assert me.view.chat_id == "a"


async def test_what_another_client_archives_goes_from_the_list_and_is_marked_where_it_is_shown(
    tmp_path: Path,
) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a", "Release notes")
        archived_elsewhere(daemon, "a", archived=True)
        await me.shows("archived · ⏎ brings it back")
        assert listed(me) == ["b", "c"]
        archived_elsewhere(daemon, "a", archived=False)
        await me.hides("archived · ⏎")
        await me.until(lambda: "a" in listed(me))


async def test_a_chat_is_deleted_after_a_question_that_names_it_and_says_what_goes(
    tmp_path: Path,
) -> None:
    daemon = with_chats()
    daemon.stream_of("a").tell(QueueUpdate([queued(1, "x"), queued(2, "y")], held=True))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a")
        await me.until(lambda: len(me.view.queue) == 2)
        await me.press("ctrl+l", "d")
        await me.shows("Delete this chat?", "“Fix the flaky test”", "the 2 in its queue too")
        await me.press("enter")  # the first choice changes nothing
        await me.hides("Delete this chat?")
        assert daemon.asked == []
        await me.press("d", "escape")
        await me.hides("Delete this chat?")
        await me.press("d", "y", "y")
        await me.until(lambda: daemon.asked == [("archived", "a", True), ("delete", "a")])
        await me.shows("Deleted “Fix the flaky test”.")
        daemon.watching.tell(ChatDeleted("a"))
        await me.until(lambda: listed(me) == ["b", "c"] and me.view.chat_id == "b")


@pytest.mark.parametrize("key", ["a", "d"])
async def test_a_chat_that_is_busy_is_neither_archived_nor_deleted(
    tmp_path: Path, key: str
) -> None:
    daemon = with_chats(a="running")
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.status == "running")
        await me.press("ctrl+l", key)
        await me.shows("Stop the answer first")
        assert daemon.asked == []
        assert len(me.app.screen_stack) == 1


async def test_a_chat_that_cannot_be_archived_stays_where_it_is(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a", "Release notes")
        daemon.down = True
        await me.press("ctrl+l", "a")
        await me.shows("connection refused")
        assert me.view.chat_id == "a"
        daemon.down = False
        await me.press("a")
        await me.until(lambda: me.view.chat_id == "b")


# --- drafts and unsent messages ---------------------------------------------------------------


async def test_what_was_being_written_to_a_deleted_chat_is_kept_in_a_new_one(
    tmp_path: Path,
) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a")
        await me.write("half a thought")
        await me.press("ctrl+l", "d")
        await me.shows("it moves to a new chat")
        await me.press("y")
        await me.until(lambda: me.app.session.is_draft)
        assert me.composer.text == "half a thought"


@pytest.mark.parametrize("shown", ["a", "b", None])
async def test_a_chat_deleted_elsewhere_loses_nothing_that_was_written_to_it(
    tmp_path: Path, shown: str | None
) -> None:
    LocalStore(tmp_path).keep_draft(Draft("a", "half a thought"))
    daemon = with_chats()
    daemon.answers.clear()
    LocalStore(tmp_path).keep(Unsent("k", "and a message", T0, "a"))
    async with client(tmp_path, daemon=daemon, chat_id=shown) as me:
        await me.shows("Release notes")
        await me.until(lambda: me.app.session.views["a"].outgoing)
        await me.until(lambda: "a" in me.app.context.drafts.stored.chats)
        daemon.watching.tell(ChatDeleted("a"))
        await me.shows("“Fix the flaky test” was deleted. What")
        await me.until(lambda: "a" not in listed(me))
        if shown == "b":
            await me.shows(f"{DRAFT_SIGN} ^n")
            await me.press("ctrl+n")
        await me.until(lambda: me.app.session.is_draft)
        assert {*me.composer.text.split("\n\n")} == {"half a thought", "and a message"}
        await me.until(lambda: not [*(tmp_path / "client" / "outbox").glob("*.json")])


async def test_a_page_of_a_chat_that_was_just_deleted_is_not_asked_for(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats(), chat_id="a") as me:
        await me.shows("because a", "Release notes")
        session = me.app.session
        session.views["a"] = replace(session.view, older=True)
        fetches: list[asyncio.Task[None]] = []

        def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            fetches.append(asyncio.create_task(work))  # it begins at the next wait
            return fetches[-1]

        MessagePages(session, spawn).older()
        [fetch] = fetches
        session.drop("a", TITLES["a"])
        await fetch
        assert not session.knows("a")


async def test_a_message_to_a_chat_that_is_gone_is_not_left_where_nobody_finds_it(
    tmp_path: Path,
) -> None:
    LocalStore(tmp_path).keep(Unsent("k", "for nobody", T0, "z"))
    from tui.replay import problem

    daemon = with_chats()
    daemon.refusal = problem("There is no chat z.", 404, "chat_not_found")
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("There is no chat z.")
        await me.until(lambda: me.composer.text == "for nobody")


async def test_a_chat_with_a_message_that_is_not_sent_is_kept(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a")
        daemon.down = True
        await me.write("for later")
        await me.press("enter")
        await me.shows("waiting for the connection")
        await me.press("ctrl+l", "d")
        await me.shows("A message to it is not sent yet.")
        assert len(me.app.screen_stack) == 1


async def test_drafts_are_marked_in_the_list(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats(), chat_id="a") as me:
        await me.shows("because a", "Release notes")
        assert DRAFT_SIGN not in me.text()
        await me.write("half a thought")
        await me.until(
            lambda: row_of(me, "Fix the flaky").rstrip(" │").endswith(DRAFT_SIGN + " now")
        )
        await me.press("ctrl+l", "down")
        await me.until(lambda: me.view.chat_id == "b")
        assert DRAFT_SIGN in row_of(me, "Fix the flaky")
        assert DRAFT_SIGN not in row_of(me, "Release notes")
        await me.press("up")
        me.composer.load_text("")
        await me.hides(DRAFT_SIGN)


def row_of(me: Client, words: str) -> str:
    """Return the part of the screen's line with these words that belongs to the list."""
    (line,) = [line for line in me.text().splitlines()[1:] if words in line[:32]]
    return line[:32]


# --- pure functions, and rows of the list -----------------------------------------------------


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        ({"seconds": -90}, "now"),
        ({"seconds": 0}, "now"),
        ({"minutes": 1}, "1m"),
        ({"minutes": 59}, "59m"),
        ({"minutes": 60}, "1h"),
        ({"hours": 23, "minutes": 59}, "23h"),
        ({"hours": 24}, "1d"),
        ({"days": 6, "hours": 23}, "6d"),
        ({"days": 7}, "14 Nov"),
        ({"days": 325}, "31 Dec 2025"),
    ],
)
def test_a_time_is_as_short_as_can_be(ago: dict[str, int], words: str) -> None:
    if words.endswith("2025"):
        words = "Dec 2025"
    assert age(T0 - timedelta(**ago), T0, T0.tzinfo) == words


async def test_times_move_with_the_clock_and_never_take_the_room_of_a_title(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats(), chat_id="a") as me:
        await me.shows("Release notes")
        await me.until(lambda: row_of(me, "Release notes")[-5:] == " 1m │")
        me.clock.advance(60)
        await me.until(lambda: row_of(me, "Release notes")[-5:] == " 2m │")
        me.clock.advance(3 * 3600)
        await me.until(lambda: row_of(me, "Release notes")[-5:] == " 3h │")


@pytest.mark.parametrize(("title", "timed"), [("x" * 27, True), ("x" * 31, False)])
async def test_in_a_narrow_window_the_title_comes_before_the_time(
    tmp_path: Path, title: str, timed: bool
) -> None:
    daemon = ReplayClient()
    daemon.open(chat("a", title, minutes_ago=5))
    async with client(tmp_path, daemon=daemon, size=(60, 20)) as me:
        await me.until(lambda: me.app.session.chats.loaded)
        await me.press("ctrl+l")
        await me.shows(title)
        assert (" 5m" in me.text()) is timed


def test_what_a_chat_refuses_is_what_the_daemons_table_refuses() -> None:
    asked: dict[Act, Transition] = {
        "send": Transition.SEND,
        "edit": Transition.EDIT,
        "clear": Transition.CLEAR_CONTEXT,
        "archive": Transition.ARCHIVE,
    }
    for act, transition in asked.items():
        for state in STORED:
            waits = () if state.shape.queue == "empty" else (queued(1, "x"),)
            view = ChatView(chat_id="a", status=state.shape.status.value, queue=waits)
            words = refusal(act, view, archived=state in ARCHIVED_STATES)
            # The daemon accepts an edit while an answer runs, and so does the client.
            assert (words is None) == bool(outcomes(transition, state)), (act, state)


def test_nothing_goes_with_a_message_that_is_not_sent() -> None:
    view = ChatView(chat_id="a", outgoing=(Outgoing("k", "x", T0),))
    acts: tuple[Act, ...] = ("archive", "delete")
    for act in acts:
        assert "not sent yet" in (refusal(act, view, archived=False) or "")
    assert refusal("delete", ChatView(chat_id="a"), archived=True) is None
    assert refusal("edit", ChatView(chat_id="a"), archived=True) == ARCHIVED
    assert set(AT_REST) == {"clear", "archive", "delete"}


async def test_a_narrow_window_has_the_sign_that_some_are_archived(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_chats("b"), chat_id="a", size=(60, 20)) as me:
        await me.shows("because a")
        await me.press("ctrl+l")
        await me.shows("A archived")


async def test_a_title_is_no_longer_than_a_daemon_takes(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("because a")
        await me.press("ctrl+l", "r")
        await me.shows("Title of this chat")
        field = me.app.screen.query_one(Input)
        field.value = "x" * TITLE_LIMIT
        await me.press("end", "y", "enter")
        await me.until(lambda: daemon.asked == [("title", "x" * TITLE_LIMIT)])
