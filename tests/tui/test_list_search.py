"""The filter of the list finds messages: whole clients with the real daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from palaver.client.pages import messages_after
from palaver.wire.actions import EditMessage
from palaver.wire.chats import Chat
from palaver.wire.queue import ChangeChat
from palaver_tui.actions.found_message import GONE
from tui.screen import Client
from tui.searching import (
    IN_MESSAGES,
    answered,
    found,
    hits,
    marked_words,
    type_filter,
    type_on,
    with_daemon,
    write_chat,
)

FEW = ["Why is the sea blue?", "The drain timer is made twice.", "Thanks."]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Capture the daemon's log: in this process its standard output is the screen's."""
    with capture_logs():
        yield


def long_history(count: int, at: int, words: str) -> list[str]:
    """Return texts, the one with number `at` has `words`."""
    texts = [f"number {number} says\n\nsomething or other" for number in range(count)]
    texts[at] = words
    return texts


async def listed(me: Client, *chats: Chat) -> None:
    """Wait until the client has these chats in its list."""
    await me.until(lambda: {one.id for one in chats} <= me.app.session.chats.chats.keys())


async def test_a_message_is_found_as_one_types_and_enter_goes_to_it(tmp_path: Path) -> None:
    words = "It was\n\nthe *albatross* that flew over the ship"
    async with with_daemon(tmp_path) as (me, client):
        far = await write_chat(client, "Port the parser", long_history(400, 41, words))
        other = await write_chat(client, "Release notes", FEW)
        await listed(me, far, other)
        await type_filter(me, "albat")
        await answered(me)
        await me.shows(IN_MESSAGES, "Port the parser", "…the *albatross*")
        assert [row.chat.id for row in hits(me)] == [far.id]
        assert "Release notes" not in me.text()
        await me.press("enter")
        await me.until(lambda: marked_words(me) == ["albatross"])
        await me.shows("number 40 says", "the albatross that flew over", "number 42 says")
        assert me.transcript.has_focus
        assert me.app.context.list_filter.text is None
        # The messages behind are not lost: the newest ones are after a gap, which fills.
        await me.press("down")
        assert marked_words(me) == []
        await me.press("end")
        await me.shows("number 399 says")
        assert me.view.gap is None


async def test_a_chat_is_listed_once_by_its_title_or_by_its_messages(tmp_path: Path) -> None:
    async with with_daemon(tmp_path) as (me, client):
        both = await write_chat(client, "The drain timer", FEW)
        one = await write_chat(client, "Something else", FEW)
        await listed(me, both, one)
        await type_filter(me, "drain timer")
        await answered(me)
        await me.shows(IN_MESSAGES, "   The drain timer is made")
        rows = me.app.main.chat_list.rows
        assert [(row.chat.id, row.hit is None) for row in rows] == [
            (both.id, True),
            (one.id, False),
        ]
        await me.press("down", "down")
        await me.until(lambda: me.view.chat_id == one.id and marked_words(me) == ["drain", "timer"])
        assert me.app.main.chat_list.has_focus


async def test_in_the_archive_archived_chats_are_searched(tmp_path: Path) -> None:
    async with with_daemon(tmp_path) as (me, client):
        away = await write_chat(client, "Put away", FEW)
        await client.change_chat(away.id, ChangeChat(archived=True))
        here = await write_chat(client, "Still here", FEW)
        await listed(me, here)
        await type_filter(me, "timer")
        await answered(me)
        await me.until(lambda: [row.chat.id for row in hits(me)] == [here.id])
        await me.press("escape", "A")
        await me.shows("Put away")
        await me.press("slash")
        await type_on(me, "timer")
        await answered(me)
        await me.until(lambda: [row.chat.id for row in hits(me)] == [away.id])
        await me.press("enter")
        await me.until(lambda: me.view.chat_id == away.id and marked_words(me) == ["timer"])


async def test_labels_in_the_filter_are_of_the_chats_whose_messages_are_found(
    tmp_path: Path,
) -> None:
    async with with_daemon(tmp_path) as (me, client):
        ours = await write_chat(client, "Ours", FEW)
        await client.change_chat(ours.id, ChangeChat(labels={"team": "docs"}))
        theirs = await write_chat(client, "Theirs", FEW)
        await listed(me, ours, theirs)
        await type_filter(me, "timer label:team")
        await answered(me)
        await me.until(lambda: [row.chat.id for row in hits(me)] == [ours.id])


async def test_what_the_daemon_refuses_is_said_in_the_list(tmp_path: Path) -> None:
    async with with_daemon(tmp_path) as (me, _client):
        await type_filter(me, "-timer")
        await answered(me)
        await me.shows(IN_MESSAGES, "There are only words to")


async def test_nothing_found_is_said(tmp_path: Path) -> None:
    async with with_daemon(tmp_path) as (me, client):
        await listed(me, await write_chat(client, "Ours", FEW))
        await type_filter(me, "zeppelin")
        await me.shows("no title fits", f"{IN_MESSAGES} …")
        await answered(me)
        await me.shows("no title fits", f"{IN_MESSAGES}: none")
        await me.press("enter")
        assert me.composer.has_focus
        assert found(me) is None


@pytest.mark.parametrize("is_shown", [False, True], ids=["not in memory", "in memory"])
async def test_a_message_that_was_edited_away_is_said_to_be_gone(
    tmp_path: Path, is_shown: bool
) -> None:
    async with with_daemon(tmp_path) as (me, client):
        chat = await write_chat(client, "Ours", long_history(120, 10, "an albatross"))
        other = await write_chat(client, "Other", FEW)
        await listed(me, chat, other)
        if is_shown:
            me.app.session.open(chat.id)
            await me.until(lambda: me.view.caught_up)
            me.app.session.open(other.id)
            await me.shows("drain timer")
        await type_filter(me, "albatross")
        await answered(me)
        await me.until(lambda: len(hits(me)) == 1)
        messages = [one async for one in messages_after(client, chat.id, 0)]
        version = (await client.chat(chat.id)).versions.history
        await client.edit_message(chat.id, messages[8].id, EditMessage("hello", version))
        await me.press("enter")
        await me.shows(GONE.partition(":")[0])
        await me.shows("hello")
        assert marked_words(me) == []


async def test_a_chat_that_is_deleted_elsewhere_leaves_what_was_found(tmp_path: Path) -> None:
    async with with_daemon(tmp_path) as (me, client):
        chat = await write_chat(client, "Ours", FEW)
        await listed(me, chat)
        await type_filter(me, "timer")
        await answered(me)
        await me.until(lambda: len(hits(me)) == 1)
        await client.change_chat(chat.id, ChangeChat(archived=True))
        await client.delete_chat(chat.id)
        await me.until(lambda: hits(me) == [])
        await me.shows(f"{IN_MESSAGES}: none")
        await me.press("enter")
        assert me.composer.has_focus
