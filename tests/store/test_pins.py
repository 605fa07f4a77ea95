"""Places of pinned chats, and the read cursor, as transactions change them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from palaver.wire.chats import PIN_LIMIT
from palaverd.chatstate.states import State
from palaverd.chatstate.table import Transition
from palaverd.store.calls import WantedCall
from palaverd.store.door import NewChat, finish, fresh_chat
from palaverd.store.filters import ChatFilter
from palaverd.store.history import NewMessage, insert_messages
from palaverd.store.listing import list_chats
from palaverd.store.locked import LockedChat, lock
from palaverd.store.pins import TooManyPins, pin
from palaverd.store.read_cursor import mark_read
from palaverd.store.sync import load_chat
from palaverd.store.transitions.required_action import require_action
from support.store import NOW, OWNER, memory_store, plant


@pytest.fixture
def store() -> Iterator[Connection]:
    with memory_store() as connection:
        for chat_id in "abcd":
            plant(connection, State.W, chat_id=chat_id)
        yield connection


def put(store: Connection, chat_id: str, place: int | None) -> list[str]:
    """Pin a chat; return the chats that were changed by it."""
    chat = lock(store, chat_id, NOW)
    pin(chat, place)
    applied = finish(chat, None)
    changed = [one.row.chat_id for one in (applied, *applied.also) if one.changed]
    return sorted(changed)


def pinned(store: Connection, *, archived: bool = False) -> list[tuple[str, int]]:
    rows, _ = list_chats(store, OWNER, limit=99, wanted=ChatFilter(archived=archived))
    return [(row.chat_id, row.pin_order) for row in rows if row.pin_order is not None]


def test_a_chat_takes_the_place_that_is_asked_for_and_the_others_make_room(
    store: Connection,
) -> None:
    assert put(store, "a", 0) == ["a"]
    assert put(store, "b", 0) == ["a", "b"]
    assert put(store, "c", 99) == ["c"]
    assert pinned(store) == [("b", 0), ("a", 1), ("c", 2)]
    assert put(store, "c", 0) == ["a", "b", "c"]
    assert pinned(store) == [("c", 0), ("b", 1), ("a", 2)]
    assert put(store, "b", 2) == ["a", "b"]
    assert pinned(store) == [("c", 0), ("a", 1), ("b", 2)]


def test_an_unpinned_chat_leaves_no_gap_and_pinning_in_place_changes_nothing(
    store: Connection,
) -> None:
    for chat_id in "cba":
        put(store, chat_id, 0)
    before = load_chat(store, "b").snapshot_version
    assert put(store, "b", 1) == []
    assert load_chat(store, "b").snapshot_version == before
    assert put(store, "a", None) == ["a", "b", "c"]
    assert pinned(store) == [("b", 0), ("c", 1)]
    assert put(store, "a", None) == []


def test_archived_chats_keep_their_own_order(store: Connection) -> None:
    plant(store, State.XW, chat_id="x", pin_order=0)
    put(store, "a", 0)
    plant(store, State.XW, chat_id="y")
    put(store, "y", 0)
    assert pinned(store) == [("a", 0)]
    assert pinned(store, archived=True) == [("y", 0), ("x", 1)]


def test_more_than_the_limit_is_refused_and_moving_within_it_is_not(store: Connection) -> None:
    for number in range(PIN_LIMIT):
        plant(store, State.W, chat_id=f"n{number}", pin_order=number)
    with pytest.raises(TooManyPins):
        put(store, "a", 0)
    put(store, "n7", 0)
    assert pinned(store)[0] == ("n7", 0)


# --- the read cursor ------------------------------------------------------------------------


def says(chat: LockedChat) -> None:
    chat.note_change()
    insert_messages(chat, [NewMessage(role="assistant", parts=[])])


def test_a_chat_is_unread_from_an_answer_until_it_is_read_and_the_cursor_never_goes_back(
    store: Connection,
) -> None:
    chat = lock(store, "a", NOW)
    says(chat)
    first = finish(chat, None).row
    assert first.unread
    chat = lock(store, "a", NOW)
    says(chat)
    finish(chat, None)
    # One client has shown the first answer only.
    for reached, unread in [(first.snapshot_version, True), (None, False), (1, False), (0, False)]:
        chat = lock(store, "a", NOW + 1)
        before = chat.row.read_version
        mark_read(chat, reached)
        finish(chat, None)
        row = load_chat(store, "a")
        assert row.unread is unread
        assert row.read_version >= before
    assert row.updated_at == NOW  # reading is no activity


def test_a_late_report_of_less_does_not_move_the_cursor_back(store: Connection) -> None:
    for reached in (6, 4, 5, 0):
        chat = lock(store, "a", NOW)
        says(chat)  # it is unread each time
        mark_read(chat, reached)
        finish(chat, None)
        assert load_chat(store, "a").read_version == 6


def test_a_question_to_the_user_is_news_and_what_a_new_chat_begins_with_is_none(
    store: Connection,
) -> None:
    plant(store, State.R0, chat_id="asks")
    chat = lock(store, "asks", NOW)
    require_action(chat, [WantedCall("call", "approval")])
    assert finish(chat, None).row.unread
    copy = fresh_chat(store, "copy", NewChat(owner=OWNER, title="t"), NOW)
    with copy.transition(Transition.FORK):
        copy.flush()
        insert_messages(copy, [NewMessage(role="assistant", parts=[])])
    assert not finish(copy, None).row.unread


def test_what_is_reported_as_read_before_it_exists_is_not_read(store: Connection) -> None:
    chat = lock(store, "a", NOW)
    says(chat)
    mark_read(chat, 10**9)
    finish(chat, None)
    assert not load_chat(store, "a").unread
    chat = lock(store, "a", NOW)
    says(chat)
    finish(chat, None)
    assert load_chat(store, "a").unread


def test_reading_what_is_read_already_changes_nothing(store: Connection) -> None:
    chat = lock(store, "a", NOW)
    mark_read(chat, None)
    assert not finish(chat, None).changed


def test_what_its_user_writes_and_tools_return_is_no_news(store: Connection) -> None:
    chat = lock(store, "a", NOW)
    chat.note_change()
    insert_messages(chat, [NewMessage(role="user", parts=[]), NewMessage(role="tool", parts=[])])
    assert not finish(chat, None).row.unread
