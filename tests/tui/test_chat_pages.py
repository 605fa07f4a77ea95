"""Chats that are not in the snapshot are fetched by page when the list is scrolled near its end."""

from pathlib import Path

from palaver.client import Connected, ConnectionLost
from palaver.wire.chats import Chat, ChatPage
from palaver.wire.events import ListSnapshot
from palaver_tui.state.chat_list import ChatList, with_page
from palaver_tui.timing import OLDER_WITHIN_ROWS
from palaver_tui.widgets.chat_list import ChatListPane
from tui.replay import ReplayClient, chat, versions
from tui.screen import client

TOLD = OLDER_WITHIN_ROWS + 60


def chats(first: int, after: int) -> list[Chat]:
    return [chat(f"c{n}", f"Chat {n}", minutes_ago=n) for n in range(first, after)]


def with_pages() -> ReplayClient:
    """Return a daemon with a snapshot of some chats, and two pages of older ones."""
    daemon = ReplayClient()
    daemon.watching.tell(Connected())
    daemon.watching.tell(ListSnapshot(chats(0, TOLD), next_cursor="p1"))
    daemon.chat_pages = {
        "p1": ChatPage(chats(TOLD, 2 * TOLD), next_cursor="p2"),
        "p2": ChatPage(chats(2 * TOLD, 3 * TOLD)),
    }
    return daemon


async def test_older_chats_come_when_the_end_of_the_list_comes_near(tmp_path: Path) -> None:
    daemon = with_pages()
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("Chat 1")
        pane = me.app.main.query_one(ChatListPane)
        assert daemon.asked == []
        pane.scroll_y = TOLD - OLDER_WITHIN_ROWS
        await me.until(lambda: len(pane.rows) == 2 * TOLD)

        def at_the_end(rows: int) -> bool:
            pane.scroll_y = pane.max_scroll_y  # grows a moment after the rows have arrived
            return len(pane.rows) == rows and f"Chat {rows - 1}" in me.text()

        await me.until(lambda: at_the_end(3 * TOLD))
        assert daemon.asked == [("chats", "p1"), ("chats", "p2")]


async def test_one_who_is_no_longer_near_the_end_gets_no_more(tmp_path: Path) -> None:
    daemon = with_pages()
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("Chat 1")
        pane = me.app.main.query_one(ChatListPane)
        pane.scroll_y = TOLD - OLDER_WITHIN_ROWS
        await me.until(lambda: len(pane.rows) == 2 * TOLD)
        # A message posted before the page arrived, and handled after it.
        pane.post_message(ChatListPane.NearEnd(scrolled=True))
        await me.rests()
        assert daemon.asked == [("chats", "p1")]


async def test_a_page_that_is_here_and_not_yet_shown_is_not_followed_by_the_next(
    tmp_path: Path,
) -> None:
    daemon = with_pages()
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("Chat 1")
        session, pane = me.app.session, me.app.main.query_one(ChatListPane)
        session.chats = with_page(session.chats, daemon.chat_pages["p1"].chats, "p2")
        pane.scroll_y = TOLD - OLDER_WITHIN_ROWS
        me.app.on_chat_list_pane_near_end(ChatListPane.NearEnd(scrolled=True))
        me.app.paint()
        await me.rests()
        assert len(pane.rows) == 2 * TOLD
        assert daemon.asked == []


async def test_a_filter_finds_what_is_older(tmp_path: Path) -> None:
    daemon = with_pages()
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("Chat 1")
        await me.press("ctrl+l", "slash", *str(3 * TOLD - 1))
        await me.shows(f"Chat {3 * TOLD - 1}")


async def test_a_page_that_does_not_come_is_asked_for_again_with_the_next_connection(
    tmp_path: Path,
) -> None:
    daemon = with_pages()
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("Chat 1")
        daemon.down = True
        await me.press("ctrl+l", "slash", "z", "z")
        await me.shows("connection refused")
        for _ in range(3):
            me.app.paint()
            await me.pilot.pause()
        assert me.text().count("connection refused") == 1
        assert len(me.app.session.chats.chats) == TOLD
        daemon.down = False
        daemon.watching.tell(ConnectionLost("cut", me.clock.now(), 0.5))
        daemon.watching.tell(Connected())
        await me.until(lambda: len(me.app.session.chats.chats) == 3 * TOLD)


async def test_a_page_that_did_not_come_is_asked_for_again_by_whoever_scrolls(
    tmp_path: Path,
) -> None:
    daemon = with_pages()
    async with client(tmp_path, daemon=daemon) as me:
        await me.shows("Chat 1")
        pane = me.app.main.query_one(ChatListPane)
        daemon.down = True
        pane.scroll_y = TOLD - OLDER_WITHIN_ROWS
        await me.shows("connection refused")
        daemon.down = False

        def scrolls_on() -> bool:
            pane.scroll_y += 1
            return len(pane.rows) == 2 * TOLD

        await me.until(scrolls_on)


def test_of_a_chat_that_is_known_the_newer_state_stays() -> None:
    old, new = chat("a", "Old", versions=versions(1)), chat("a", "New", versions=versions(2))
    for known, page in ((old, new), (new, old)):
        after = with_page(ChatList({"a": known}), [page], None)
        assert after.chats == {"a": new}
