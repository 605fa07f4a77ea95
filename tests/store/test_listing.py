"""Which chats a page of the list has, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, event

from palaver.wire.chats import ChatStatus
from palaverd.chatstate.states import State
from palaverd.store.filters import ChatFilter
from palaverd.store.listing import Cursor, list_chats
from palaverd.store.rows import ChatRow, status_of
from palaverd.store.transitions.archive import children
from support.store import NOW, OWNER, memory_store, plant

LABELS: dict[str, dict[str, str]] = {
    "a": {"team": "docs", "urgent": ""},
    "b": {"team": "infra"},
    "c": {"te": "am", "x": 'team":"docs'},
    "d": {"team": "DOCS", 'od"d': "x\\"},
}


@pytest.fixture
def store() -> Iterator[Connection]:
    with memory_store() as connection:
        yield connection


def ids(rows: list[ChatRow]) -> str:
    return "".join(row.chat_id for row in rows)


def listed(store: Connection, limit: int = 50, **wanted: Any) -> str:
    return ids(list_chats(store, OWNER, limit=limit, wanted=ChatFilter(**wanted))[0])


def plant_labelled(store: Connection) -> None:
    for place, (chat_id, labels) in enumerate(LABELS.items()):
        plant(store, State.W, chat_id=chat_id, labels=labels, updated_at=NOW - place)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([("team", None)], "abd"),
        ([("team", "docs")], "a"),
        ([("urgent", "")], "a"),
        ([("urgent", "x")], ""),
        ([("team", None), ("urgent", None)], "a"),
        ([("te", "am")], "c"),
        ([('od"d', "x\\")], "d"),
        ([("%", None)], ""),
        ([], "abcd"),
    ],
)
def test_labels_are_found_by_name_and_by_value(
    store: Connection, labels: list[tuple[str, str | None]], found: str
) -> None:
    plant_labelled(store)
    assert listed(store, labels=tuple(labels)) == found


def test_each_status_is_found_by_the_word_that_the_api_has_for_it(store: Connection) -> None:
    planted: list[ChatRow] = []
    for place, state in enumerate(State):
        if state.name in {"ABSENT", "INVALID"}:
            continue
        for runner in (None, "r"):
            name = f"{place}{runner}"
            row = plant(store, state, chat_id=name, worker_id=runner, runner_id=runner)
            planted.append(row)
    by_status: dict[ChatStatus, set[str]] = {}
    for row in planted:
        by_status.setdefault(status_of(row)[0], set()).add(row.chat_id)
    assert len(by_status) == 7
    for status, expected in by_status.items():
        wanted = ChatFilter(archived=None, statuses=frozenset({status}))
        rows, _ = list_chats(store, OWNER, limit=100, wanted=wanted)
        assert {row.chat_id for row in rows} == expected, status
    both = ChatFilter(archived=None, statuses=frozenset({"error", "paused"}))
    rows, _ = list_chats(store, OWNER, limit=100, wanted=both)
    assert {row.chat_id for row in rows} == by_status["error"] | by_status["paused"]


def test_children_unread_and_archived_chats_are_found_by_themselves(store: Connection) -> None:
    plant(store, State.W, chat_id="p", news_version=4, read_version=4)
    plant(store, State.W, chat_id="q", parent_id="p", root_id="p", news_version=4, updated_at=1)
    plant(store, State.XW, chat_id="r", parent_id="p", root_id="p", news_version=5, read_version=4)
    assert listed(store) == "pq"
    assert listed(store, parent_id="p") == "q"
    assert listed(store, parent_id="p", archived=None) == "rq"
    assert listed(store, unread=True) == "q"
    assert listed(store, unread=False) == "p"
    assert listed(store, unread=True, archived=True) == "r"
    assert listed(store, parent_id="nobody") == ""


@pytest.mark.parametrize("limit", range(1, 8))
def test_pinned_chats_come_first_and_pages_of_any_size_have_each_chat_once(
    store: Connection, limit: int
) -> None:
    for place, chat_id in enumerate("abcdef"):
        pin = {"e": 0, "b": 1, "f": 1}.get(chat_id)  # f was unarchived: two share a place
        plant(store, State.W, chat_id=chat_id, updated_at=NOW - place, pin_order=pin)
    found, cursor = "", None
    while True:
        rows, cursor = list_chats(store, OWNER, limit=limit, cursor=cursor)
        found += ids(rows)
        assert len(rows) <= limit
        if cursor is None:
            break
    assert found == "ebfacd"


def test_a_cursor_of_an_older_daemon_goes_on_after_its_chat(store: Connection) -> None:
    for place, chat_id in enumerate("abc"):
        plant(store, State.W, chat_id=chat_id, updated_at=NOW - place)
    cursor = msgspec.json.decode(f'[{NOW}, "a"]', type=Cursor)
    assert ids(list_chats(store, OWNER, limit=9, cursor=cursor)[0]) == "bc"


def test_a_page_is_read_by_indexes_and_is_not_sorted(store: Connection) -> None:
    """A sort would read all of an owner's chats for each page."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    list_chats(store, OWNER, limit=10)
    children(store, "p")
    event.remove(store.engine, "before_cursor_execute", note)
    plans = []
    for statement, parameters in seen:
        found = store.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plans.append(" ".join(str(row[-1]) for row in found))
    assert "chats_pinned" in plans[0]
    assert "chats_by_activity" in plans[1]
    assert not any("TEMP B-TREE" in plan for plan in plans[:2])
    assert "chats_by_parent" in plans[2]
