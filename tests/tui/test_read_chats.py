"""What is read of the chat that is shown: the rule, the reports, and the marks in the list."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from textual import events

from palaver.client import Connected, ConnectionLost
from palaver.stream.progress import Progress
from palaver.wire.chats import Chat
from palaver.wire.events import CaughtUp, ChatUpdated, ListSnapshot, MessageEvent
from palaver_tui.state.chat import ChatView
from palaver_tui.state.chat_list import EMPTY
from palaver_tui.state.reading import read_up_to
from palaver_tui.timing import READ_AFTER_S
from tui.replay import T0, ReplayClient, answer, chat, problem, status, user, versions
from tui.screen import Client, client

NEW = chat("b", "Release notes", unread=True, versions=versions(7), minutes_ago=5)
READ = msgspec.structs.replace(NEW, unread=False)


@pytest.mark.parametrize(
    ("since", "unread", "looking", "reached"),
    [
        (7, True, True, 7),
        (9, True, True, 9),
        (6, True, True, None),  # what is new has not arrived in the chat's own stream
        (None, True, True, None),
        (7, False, True, None),
        (7, True, False, None),
    ],
)
def test_a_chat_is_read_up_to_what_is_shown_of_it(
    since: int | None, unread: bool, looking: bool, reached: int | None
) -> None:
    view = ChatView(chat_id="b", progress=Progress(since=since))
    chats = replace(EMPTY, chats={"b": msgspec.structs.replace(NEW, unread=unread)})
    assert read_up_to(view, chats, looking=looking) == reached


def test_a_chat_that_is_not_in_the_list_and_one_that_does_not_exist_are_not_reported() -> None:
    shown = Progress(since=3)
    assert read_up_to(ChatView(chat_id="b", progress=shown), EMPTY, looking=True) is None
    assert read_up_to(ChatView(progress=shown), EMPTY, looking=True) is None


def with_chats(*chats: Chat) -> ReplayClient:
    daemon = ReplayClient()
    daemon.open(*chats)
    for one in chats:
        daemon.stream_of(one.id).tell(
            status(title=one.title, versions=one.versions),
            MessageEvent(user(1, "hello")),
            MessageEvent(answer(2, f"answer of {one.id}")),
            CaughtUp(one.versions.snapshot),
        )
    return daemon


def reports(daemon: ReplayClient) -> list[tuple[str | None, int | None]]:
    found = zip(daemon.asked, daemon.about, strict=True)
    return [(about, asked[1]) for asked, about in found if asked[0] == "read"]


async def passes(me: Client) -> None:
    """Let the time pass after which a chat that is shown is read."""
    await me.until(lambda: me.clock._sleepers)
    me.clock.advance(READ_AFTER_S)
    await me.pilot.pause()


async def test_a_chat_that_is_shown_for_a_moment_is_read_and_one_that_is_passed_is_not(
    tmp_path: Path,
) -> None:
    other = chat("c", "Flaky network", unread=True, versions=versions(4), minutes_ago=9)
    daemon = with_chats(chat("a", "Fix the test"), NEW, other)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Flaky network", "● new")
        await me.press("ctrl+l", "down")
        await me.shows("answer of b")
        await me.until(lambda: "b" in me.app.session.read_reports._busy)
        await me.press("down")
        await me.shows("answer of c")
        await me.until(lambda: "c" in me.app.session.read_reports._busy)
        me.clock.advance(READ_AFTER_S)
        await me.until(lambda: reports(daemon) == [("c", 4)])
        await me.until(lambda: not me.app.session.chats.chats["c"].unread)
        assert me.app.session.chats.chats["b"].unread


async def test_what_arrives_while_one_looks_at_it_is_never_shown_as_new_and_is_reported_once(
    tmp_path: Path,
) -> None:
    daemon = with_chats(READ)
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.shows("answer of b")
        # Many steps of one turn, each of which the list reports.
        for number in range(8, 20):
            now = msgspec.structs.replace(NEW, versions=versions(number))
            daemon.known["b"] = now
            daemon.watching.tell(ChatUpdated(now, ["unread"]))
            daemon.stream_of("b").tell(MessageEvent(answer(number, "more")), CaughtUp(number))
        await me.until(lambda: me.view.progress.since == 19)
        await me.until(lambda: me.app.session.chats.chats["b"].versions.snapshot == 19)
        me.app.paint()
        await me.hides("● new")
        daemon.answers.clear()  # the report takes its time
        await passes(me)
        renamed = msgspec.structs.replace(daemon.known["b"], title="Another title")
        daemon.watching.tell(ChatUpdated(renamed, ["title"]))
        await me.shows("Another title")
        me.clock.advance(READ_AFTER_S)
        await me.pilot.pause()
        daemon.answers.set()
        await me.until(lambda: not me.app.session.read_reports._busy)
        assert reports(daemon) == [("b", 19)]


async def test_what_another_client_has_read_is_read_here(tmp_path: Path) -> None:
    daemon = with_chats(chat("a", "Fix the test"), NEW)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("● new")
        daemon.watching.tell(ChatUpdated(READ, ["unread"]))
        await me.hides("● new")


async def test_nothing_is_read_while_the_terminal_has_not_the_focus(tmp_path: Path) -> None:
    daemon = with_chats(READ)
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.shows("answer of b")
        me.app.post_message(events.AppBlur())
        await me.until(lambda: not me.app.session.read_reports.looking)
        daemon.known["b"] = NEW
        daemon.watching.tell(ChatUpdated(NEW, ["unread"]))
        await me.shows("● new")
        assert not me.app.session.read_reports._busy
        me.app.post_message(events.AppFocus())
        await me.hides("● new")
        await passes(me)
        await me.until(lambda: reports(daemon) == [("b", 7)])


async def test_a_report_that_did_not_arrive_is_made_after_the_connection_is_back(
    tmp_path: Path,
) -> None:
    daemon = with_chats(NEW)
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.shows("answer of b")
        await me.rests()
        daemon.down = True
        await passes(me)
        await me.until(lambda: not me.app.session.read_reports._busy)
        assert reports(daemon) == []
        assert "refused" not in me.text()
        daemon.down = False
        daemon.watching.tell(ConnectionLost("gone", T0, 1.0), Connected(), ListSnapshot([NEW]))
        await me.until(lambda: me.app.session.read_reports._busy)
        await passes(me)
        await me.until(lambda: reports(daemon) == [("b", 7)])


async def test_a_token_that_may_only_read_makes_no_notices(tmp_path: Path) -> None:
    daemon = with_chats(NEW)
    async with client(tmp_path, daemon=daemon, chat_id="b") as me:
        await me.shows("answer of b")
        await me.rests()
        daemon.refusal = problem("This needs a token with the scope chat.", 403, "scope")
        await passes(me)
        await me.until(lambda: not me.app.session.read_reports._busy)
        await me.pilot.pause()
        assert "needs a token" not in me.text()
