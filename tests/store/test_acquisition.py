"""Which chats a worker may acquire: capacity, the machine with the workspace, expired leases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update
from structlog.testing import capture_logs

from palaverd.chatstate.states import State
from palaverd.store.acquisition import acquire_chats, explain_pending, heartbeat, resume_due
from palaverd.store.check import violations
from palaverd.store.door import Applied
from palaverd.store.locked import LockedChat
from palaverd.store.sync import load_chat
from palaverd.store.tables import chats, leases
from palaverd.store.transitions import ownership
from support.store import NOW, memory_store, plant, taker

LEASE_MS = taker().lease_ms


@pytest.fixture
def store() -> Iterator[Connection]:
    with memory_store() as connection, connection.begin():
        yield connection


def acquire(store: Connection, now: int = NOW, **limits: object) -> list[Applied[None]]:
    numbers = iter(range(1000))
    return acquire_chats(store, taker(**limits), lambda: f"r{now}.{next(numbers)}", now)


def taken(applied: list[Applied[None]]) -> list[str]:
    return [one.row.chat_id for one in applied if one.row.runner_id is not None]


def held(store: Connection, chat_id: str, state: State = State.R0, beat: int = NOW) -> None:
    """Write a chat that another worker holds, with its last heartbeat at `beat`."""
    runner = f"dead {chat_id}"
    plant(store, state, chat_id=chat_id, worker_id="dead", runner_id=runner)
    store.execute(insert(leases).values(chat_id=chat_id, runner_id=runner, heartbeat=beat))


def test_a_chat_is_taken_only_once_its_lease_has_passed(store: Connection) -> None:
    held(store, "c")
    assert acquire(store, NOW + LEASE_MS) == []
    assert taken(acquire(store, NOW + LEASE_MS + 1)) == ["c"]
    assert violations(store, "c") == []


def test_a_heartbeat_keeps_a_chat_and_moves_no_version(store: Connection) -> None:
    held(store, "c")
    before = load_chat(store, "c")
    heartbeat(store, ["dead c"], NOW + LEASE_MS)
    assert load_chat(store, "c") == before
    assert acquire(store, NOW + LEASE_MS + 1) == []


def test_a_late_heartbeat_does_not_touch_the_lease_of_who_took_the_chat(store: Connection) -> None:
    held(store, "c")
    later = NOW + 2 * LEASE_MS
    [one] = acquire(store, later)
    heartbeat(store, ["dead c"], later + LEASE_MS + 1)
    again = acquire(store, later + LEASE_MS + 1)
    assert taken(again) == ["c"], "the dead worker's heartbeat kept another worker's lease alive"
    assert again[0].row.runner_id != one.row.runner_id


@pytest.mark.parametrize("lease", ["none", "another runner's"])
def test_a_runner_without_a_lease_of_its_own_holds_nothing(store: Connection, lease: str) -> None:
    plant(store, State.R0, worker_id="dead", runner_id="gone")
    if lease != "none":
        store.execute(insert(leases).values(chat_id="c", runner_id="other", heartbeat=NOW))
    assert taken(acquire(store)) == ["c"]


def test_the_places_of_a_worker_that_vanished_are_free(store: Connection) -> None:
    for name in "ab":
        held(store, name)
    plant(store, State.R0, chat_id="c", updated_at=NOW + 1)
    assert acquire(store, max_chats=2)[0].row.pending_reason == "capacity"
    later = acquire(store, NOW + LEASE_MS + 1, max_chats=2)
    assert taken(later) == ["a", "b"]


def test_what_a_vanished_worker_held_waits_and_says_so_when_there_is_no_place(
    store: Connection,
) -> None:
    held(store, "a", beat=NOW - LEASE_MS - 1)
    held(store, "b")
    [one] = acquire(store, max_chats=1)
    assert (one.row.chat_id, one.row.runner_id, one.row.pending_reason) == ("a", None, "capacity")
    assert one.row.pending_since == NOW
    assert violations(store, "a") == []
    # Written once: the next acquisition changes nothing.
    assert acquire(store, max_chats=1) == []


def test_sub_agents_and_chats_of_people_never_take_each_others_places(store: Connection) -> None:
    held(store, "parent")
    plant(store, State.R0, chat_id="child", parent_id="parent", updated_at=NOW + 1)
    plant(store, State.R0, chat_id="second", parent_id="parent", updated_at=NOW + 2)
    plant(store, State.R0, chat_id="other", updated_at=NOW + 3)
    applied = acquire(store, max_chats=1, max_subagents=1)
    assert taken(applied) == ["child"]
    reasons = {one.row.chat_id: one.row.pending_reason for one in applied}
    assert reasons == {"child": None, "second": "capacity", "other": "capacity"}


def test_a_parent_that_waits_for_children_takes_no_place(store: Connection) -> None:
    held(store, "parent")
    plant(store, State.R0, chat_id="other", updated_at=NOW + 1)
    assert taken(acquire(store, max_chats=1)) == []
    store.execute(update(leases.metadata.tables["chats"]).values(waiting_for_children=True))
    assert taken(acquire(store, max_chats=1)) == ["other"]


@pytest.mark.parametrize("state", [State.I0, State.A0])
def test_an_interruption_and_an_owed_answer_need_no_place(store: Connection, state: State) -> None:
    held(store, "a")
    plant(store, state, chat_id="c")
    assert taken(acquire(store, max_chats=1)) == ["c"]


def test_a_worker_does_not_take_a_chat_from_itself_however_late_its_heartbeat(
    store: Connection,
) -> None:
    held(store, "c")
    later = NOW + 2 * LEASE_MS  # the machine slept, and this comes before the next heartbeat
    assert acquire(store, later, runner_ids=frozenset({"dead c"})) == []
    assert taken(acquire(store, later)) == ["c"]


BROKEN: list[dict[str, Any]] = [
    {"queue_held": True},
    {"resume_at": NOW - 1},
    {"resume_at": NOW - 1, "workspace_host": "elsewhere", "workspace_path": "/src"},
    {"turn_version": 9, "workspace_host": "elsewhere", "workspace_path": "/src"},
    {"turn_version": 9, "worker_id": "dead", "runner_id": "gone"},
]
LOOKS: list[Callable[[Connection], list[Applied[None]]]] = [
    lambda store: acquire(store, max_chats=1),
    lambda store: explain_pending(store, "no_worker", NOW),
    lambda store: resume_due(store, NOW),
]


@pytest.mark.parametrize("columns", BROKEN, ids=str)
@pytest.mark.parametrize("look", LOOKS, ids=["acquire", "explain", "resume"])
def test_a_chat_that_may_not_exist_as_it_is_is_repaired_and_keeps_no_other_waiting(
    store: Connection, columns: dict[str, Any], look: Callable[[Connection], list[Applied[None]]]
) -> None:
    plant(store, State.R0, chat_id="broken")
    store.execute(update(chats).values(**columns))
    plant(store, State.R0, chat_id="stopped", updated_at=NOW + 1)
    plant(store, State.I0, chat_id="stopping", updated_at=NOW + 2)
    plant(store, State.E0, chat_id="due", resume_at=NOW - 1)
    for _ in range(2):
        look(store)
        for name in ("stopped", "stopping", "due"):
            assert violations(store, name) == []
    acquire(store)
    assert load_chat(store, "stopping").runner_id is not None
    assert violations(store, "broken") == []
    assert load_chat(store, "broken").status == "error"


def test_a_chat_with_which_nothing_can_be_done_keeps_no_other_waiting(
    store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def acquire_one(chat: LockedChat, worker_id: str, runner_id: str) -> None:
        ownership.acquire(chat, worker_id, runner_id)
        if chat.row.chat_id == "a":
            raise ZeroDivisionError

    monkeypatch.setattr("palaverd.store.acquisition.acquire", acquire_one)
    for number, name in enumerate("abc"):
        plant(store, State.R0, chat_id=name, updated_at=NOW + number)
    with capture_logs() as logs:
        assert taken(acquire(store, max_chats=2)) == ["b", "c"]
    assert [entry["chat"] for entry in logs] == ["a"]
    assert load_chat(store, "a").runner_id is None
    assert store.execute(select(leases.c.chat_id)).scalars().all() == ["b", "c"]


def test_only_the_machine_that_has_the_files_runs_a_chat(store: Connection) -> None:
    plant(store, State.R0, workspace_host="elsewhere", workspace_path="/src")
    [one] = acquire(store)
    assert (one.row.runner_id, one.row.pending_reason) == (None, "wrong_host")
    assert one.row.pending_since == NOW
    assert acquire(store) == []
    assert taken(acquire(store, host="elsewhere")) == ["c"]


def test_a_chat_whose_files_are_elsewhere_can_be_stopped_here(store: Connection) -> None:
    plant(store, State.I0, workspace_host="elsewhere", workspace_path="/src")
    assert taken(acquire(store)) == ["c"]
