"""A runner's decision for each hint: every rule, and every order of late hints."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from palaverd.generation.cancellation import Cause
from palaverd.store.hints import Hint
from palaverd.worker.decisions import (
    Decision,
    Ignore,
    Leave,
    Memory,
    Notify,
    Release,
    Start,
    decide,
)

RUNNING = Hint(
    chat_id="c",
    owner="ann",
    status="running",
    archived=False,
    runner_id="r",
    snapshot_version=5,
    history_version=3,
    retry_version=0,
    ownerless=False,
)


def later(**changes: object) -> Hint:
    return msgspec.structs.replace(RUNNING, **({"snapshot_version": 6} | changes))


@pytest.mark.parametrize(
    ("heard", "decision"),
    [
        (later(snapshot_version=4, status="interrupting"), Ignore()),
        (later(snapshot_version=5, status="interrupting"), Ignore()),
        (later(runner_id="other"), Leave(Cause.LEASE_LOST)),
        (later(runner_id=None, status="waiting"), Leave(Cause.SUPERSEDED)),
        (later(deleted=True), Leave(Cause.LEASE_LOST)),
        (later(retry_version=6), Notify()),
        (later(status="interrupting"), Start(Cause.INTERRUPTED)),
        (later(history_version=6), Start(Cause.SUPERSEDED)),
        (later(status="requires_action"), Start(Cause.SUPERSEDED)),
        (later(status="waiting", history_version=6), Release(Cause.SUPERSEDED)),
        (later(status="error"), Release(Cause.SUPERSEDED)),
        (later(archived=True), Release(Cause.SUPERSEDED)),
    ],
)
def test_a_living_task_is_left_handed_stopped_or_replaced(heard: Hint, decision: Decision) -> None:
    assert decide("r", RUNNING, RUNNING, heard) == decision


def test_without_a_task_the_same_state_starts_one() -> None:
    assert decide("r", RUNNING, None, RUNNING) == Start(Cause.SUPERSEDED)
    assert decide("r", RUNNING, None, later(status="waiting")) == Release(Cause.SUPERSEDED)


def test_a_stop_of_an_earlier_turn_never_stops_a_later_run_in_whatever_order_it_is_heard() -> None:
    """All hints of two turns, in every order, with every hint repeated."""
    story = [
        RUNNING,
        later(snapshot_version=6, status="interrupting"),
        later(snapshot_version=7, status="running", history_version=7),
        later(snapshot_version=8, status="running", history_version=7),
    ]
    for order in permutations([*story, story[1]]):
        memory = Memory("r", RUNNING)
        reached_second_turn = False
        for heard in order:
            decision = memory.handle(heard)
            if isinstance(decision, Start) and reached_second_turn:
                assert heard.history_version == 7
                assert decision.cause is not Cause.INTERRUPTED
            reached_second_turn = reached_second_turn or memory.seen.history_version == 7
        assert memory.started is not None
        assert (memory.seen.snapshot_version, memory.started.history_version) == (8, 7)


def test_an_older_hint_than_its_own_acquisition_never_reaches_a_runner() -> None:
    """Also before its first read: the row of its acquisition is newer."""
    memory = Memory("r", later(snapshot_version=9, history_version=7))
    for old in (RUNNING, later(status="interrupting"), later(runner_id=None)):
        assert memory.handle(old) == Ignore()
