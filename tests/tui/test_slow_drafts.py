"""Drafts that the disk gives back late: neither they nor what was typed meanwhile is lost."""

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from palaver_tui.state.chat import ChatView, Outgoing
from palaver_tui.storage.local_store import Draft, LocalStore
from palaver_tui.timing import CACHED_CHATS
from tui.replay import ENDPOINT, T0
from tui.screen import BOUND_S, Client, client
from tui.test_refused_edits import with_queue

STORED = "half a thought"


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Store a draft for chat `a`; return an event that the disk waits for before it is read."""
    LocalStore(tmp_path).keep_draft(Draft("a", STORED, str(ENDPOINT)))
    goes_on, drafts = threading.Event(), LocalStore.claim_drafts

    def slowly(store: LocalStore, chat: str) -> list[Draft]:
        assert goes_on.wait(BOUND_S)
        return drafts(store, chat)

    monkeypatch.setattr(LocalStore, "claim_drafts", slowly)
    return goes_on


async def type_ahead(me: Client) -> None:
    await me.write("typed ahead")


async def send_at_once(me: Client) -> None:
    await me.write("typed ahead")
    await me.press("enter")
    await me.until(lambda: me.daemon.sent)


async def edit(me: Client) -> None:
    await me.shows("Queue · 2")
    await me.press("ctrl+o", "e", "!")


async def edit_and_empty(me: Client) -> None:
    await edit(me)
    await me.press("ctrl+u")


@pytest.mark.parametrize(
    ("do", "shown", "draft"),
    [
        (type_ahead, f"{STORED}\n\ntyped ahead", f"{STORED}\n\ntyped ahead"),
        (send_at_once, STORED, STORED),
        (edit, "first of the queue!", STORED),
        (edit_and_empty, "", STORED),
    ],
)
async def test_a_draft_that_is_read_late_comes_before_what_was_written_meanwhile(
    tmp_path: Path,
    read: threading.Event,
    do: Callable[[Client], Awaitable[None]],
    shown: str,
    draft: str,
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await do(me)
        read.set()
        await me.until(lambda: me.app.context.editor.draft == draft)
        assert me.composer.text == shown
        if me.app.context.editor.message is not None:
            await me.press("escape")
        assert me.composer.text == draft
    assert [one.text for one in LocalStore(tmp_path).drafts()] == [draft]


async def test_a_client_that_is_left_before_its_drafts_are_read_keeps_them(
    tmp_path: Path, read: threading.Event
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.write("typed ahead")
        me.app.exit(0)
    read.set()
    assert [one.text for one in LocalStore(tmp_path).drafts()] == [STORED, "typed ahead"]
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.until(lambda: me.composer.text == f"{STORED}\n\ntyped ahead")


async def test_a_save_does_not_wait_until_the_drafts_are_read(
    tmp_path: Path, read: threading.Event
) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.write("typed ahead")
        assert await me.app.context.drafts.stored.are_saved()
        assert [one.text for one in LocalStore(tmp_path).drafts()] == [STORED, "typed ahead"]
        read.set()
        await me.until(lambda: me.composer.text == f"{STORED}\n\ntyped ahead")
    assert [one.text for one in LocalStore(tmp_path).drafts()] == [f"{STORED}\n\ntyped ahead"]


async def test_a_chat_left_while_many_others_wait_to_send_keeps_its_draft(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=with_queue(), chat_id="a") as me:
        await me.shows("Queue · 2")
        for number in range(CACHED_CHATS):
            unsent = Outgoing(f"key-{number}", "x", T0, state="refused")
            me.app.session.views[f"c{number}"] = ChatView(f"c{number}", outgoing=(unsent,))
        await me.write("a draft")
        me.app.session.open("b")
        assert me.composer.text == ""
        me.app.session.open("a")
        assert me.composer.text == "a draft"
