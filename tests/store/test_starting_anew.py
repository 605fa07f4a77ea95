"""The repairs at a daemon's start: chats of a dead daemon, and chats in an invalid state."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from palaverd.chatstate.states import State
from palaverd.store.acquisition import acquire_chats, void_leases
from palaverd.store.check import violations
from palaverd.store.sync import load_chat
from palaverd.store.tables import chats
from support.store import NOW, memory_store, plant, taker


def test_a_chat_of_a_dead_daemon_is_released_and_can_be_taken_at_once() -> None:
    with memory_store() as store, store.begin():
        plant(store, State.R1, worker_id="dead", runner_id="gone")
        void_leases(store, NOW)
        assert load_chat(store, "c").runner_id is None
        [taken] = acquire_chats(store, taker(), lambda: "r", NOW)
        assert taken.row.runner_id == "r"


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "asleep"},
        {"status": "asleep", "worker_id": "dead", "runner_id": "gone"},
        {"status": "running", "queue_held": True, "queue_length": 0, "worker_id": "dead"},
        {"archived": True, "worker_id": "dead", "runner_id": "gone"},
    ],
)
def test_a_chat_in_no_state_does_not_keep_the_daemon_from_starting(
    columns: dict[str, Any],
) -> None:
    with memory_store() as store, store.begin():
        plant(store, State.R0, runner_id="gone", worker_id="dead")
        store.execute(update(chats).values(**columns))
        void_leases(store, NOW)
        row = load_chat(store, "c")
        assert (row.status, row.runner_id) == ("error", None)
        assert violations(store, "c") == []
