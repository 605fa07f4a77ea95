"""Pins and labels in the client: the order of the list, the filter, keys and the dialog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from palaver.wire.chats import Chat
from palaver.wire.events import CaughtUp, ListSnapshot
from palaver_tui.state.chat_list import EMPTY, ChatList, pin_place, reduce_list, rows
from palaver_tui.state.label_text import changed_labels, label_text
from tui.replay import ReplayClient, chat, status
from tui.screen import client


def known(*chats: Chat) -> ChatList:
    return replace(EMPTY, chats={one.id: one for one in chats})


CHATS = [
    chat("a", "Fix the test", labels={"team": "docs", "urgent": ""}),
    chat("b", "Release notes", pin_order=1, minutes_ago=1),
    chat("c", "Flaky network", pin_order=0, minutes_ago=900, labels={"Team": "Infra"}),
    chat("d", "Old", pin_order=0, minutes_ago=1000, archived=True),
]


def listed(filter_text: str = "", *, archived: bool = False) -> str:
    return "".join(row.chat.id for row in rows(known(*CHATS), filter_text, archived=archived))


def test_pinned_chats_come_first_in_their_order() -> None:
    assert listed() == "cba"
    assert listed(archived=True) == "d"


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ("label:team", "ca"),
        ("label:team=docs", "a"),
        ("label:infra", ""),
        ("label:team=in", "c"),
        ("label:u", "a"),
        ("label:", "ca"),
        ("label:team test", "a"),
        ("label:team status:failed", ""),
    ],
)
def test_the_filter_finds_labels_as_one_types(filter_text: str, found: str) -> None:
    assert listed(filter_text) == found


@pytest.mark.parametrize(
    ("chat_id", "steps", "place"),
    [("c", 0, 0), ("c", 1, 1), ("c", 9, 1), ("b", -1, 0), ("b", 1, 1), ("d", 1, 0), ("a", 1, None)],
)
def test_a_pinned_chat_moves_among_those_of_its_list(
    chat_id: str, steps: int, place: int | None
) -> None:
    assert pin_place(known(*CHATS), chat_id, steps) == place


def test_an_old_pinned_chat_in_a_snapshot_discards_no_pages_that_were_fetched() -> None:
    before = known(chat("x", "Fetched by page", minutes_ago=500))
    snapshot = ListSnapshot([CHATS[2], CHATS[0]], next_cursor="more")
    assert "x" in reduce_list(before, snapshot).chats


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", {"team": None, "urgent": None}),
        ("team=docs urgent", {}),
        ("urgent  team=qa new", {"team": "qa", "new": ""}),
        ("team='the docs' urgent=", {"team": "the docs"}),
        ("team=a=b urgent", {"team": "a=b"}),
    ],
)
def test_an_edited_line_of_labels_is_what_differs(
    text: str, changes: dict[str, str | None]
) -> None:
    assert changed_labels({"team": "docs", "urgent": ""}, text) == changes


@pytest.mark.parametrize("value", ["", "x", "two words", "it's", 'a "b"', "a=b"])
def test_labels_are_the_same_after_they_were_written_and_read(value: str) -> None:
    assert changed_labels({"a": value, "b": ""}, label_text({"a": value, "b": ""})) == {}


def asked(daemon: ReplayClient) -> list[tuple[Any, ...]]:
    return [
        (about, *what)
        for about, what in zip(daemon.about, daemon.asked, strict=True)
        if what[0] in {"pin", "label"}
    ]


def with_chats() -> ReplayClient:
    daemon = ReplayClient()
    daemon.open(*CHATS[:3])
    for one in CHATS[:3]:
        daemon.stream_of(one.id).tell(status(title=one.title), CaughtUp(1))
    return daemon


async def test_a_chat_is_pinned_and_moved_by_keys_and_by_commands(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("⌃Flaky network", "⌃Release notes")
        await me.press("ctrl+l", "p")
        await me.until(lambda: asked(daemon) == [("a", "pin", 0)])
        await me.shows("⌃Fix the test")
        await me.press("p")
        await me.until(lambda: asked(daemon)[1:] == [("a", "pin", None)])
        await me.until(lambda: me.app.session.chats.chats["a"].pin_order is None)
        # One that is not pinned does not move.
        await me.press("K")
        await me.press("home", "K")
        assert len(asked(daemon)) == 2
        await me.press("J")
        await me.until(lambda: asked(daemon)[2:] == [("c", "pin", 1)])
        me.composer.focus()
        await me.write("/pin")
        await me.press("enter")
        await me.until(lambda: asked(daemon)[3:] == [("c", "pin", None)])


async def test_labels_are_edited_in_a_line_and_shown_in_the_header(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Fix the test  team=docs urgent")
        await me.press("ctrl+l", "l")
        await me.shows("Labels of this chat")
        await me.press("end", "space", "'", "enter")
        await me.shows("A quotation mark is not closed.")
        await me.press("backspace", *"new", "enter")
        await me.until(lambda: asked(daemon) == [("a", "label", {"new": ""})])
        await me.hides("Labels of this chat")


async def test_an_unchanged_line_of_labels_asks_for_nothing(tmp_path: Path) -> None:
    daemon = with_chats()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Fix the test")
        await me.press("ctrl+l", "l", "enter")
        await me.hides("Labels of this chat")
        assert asked(daemon) == []


async def test_a_value_that_is_shown_otherwise_is_kept_as_it_is(tmp_path: Path) -> None:
    daemon = ReplayClient()
    daemon.open(chat("a", "Fix the test", labels={"note": "one\ntwo\t\x1b"}))
    daemon.stream_of("a").tell(status(title="Fix the test"), CaughtUp(1))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Fix the test")
        await me.press("ctrl+l", "l", "end", "space", *"new", "enter")
        await me.until(lambda: asked(daemon) == [("a", "label", {"new": ""})])


async def test_an_older_daemon_is_not_asked_and_the_user_is_told(tmp_path: Path) -> None:
    daemon = with_chats()
    daemon.told.capabilities.remove("chat_marks")
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("Fix the test")
        await me.until(lambda: me.app.session.info)
        await me.press("ctrl+l", "p")
        await me.shows("has no labels and pins")
        await me.press("l")
        assert asked(daemon) == []
