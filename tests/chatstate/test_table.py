"""The table of transitions: each cell, and every state reachable from the first."""

from __future__ import annotations

from collections import deque

import pytest

from palaverd.chatstate.states import ARCHIVED, RUNNABLE, STORED, Queue, State, Status, classify
from palaverd.chatstate.table import BY_DAEMON, TABLE, Transition, outcomes

CELLS = [(t, s) for t in Transition for s in State]
BUSY = frozenset(
    s
    for s in STORED
    if s.shape.status in (Status.RUNNING, Status.INTERRUPTING, Status.REQUIRES_ACTION)
)
# A call without a deadline may wait for a user's answer for ever.
OWED_BY_A_PERSON = frozenset(s for s in STORED if s.shape.status is Status.REQUIRES_ACTION)


def test_every_transition_has_a_row_and_no_other() -> None:
    assert set(TABLE) == set(Transition)
    assert all(TABLE[t] for t in Transition)


@pytest.mark.parametrize(("transition", "state"), CELLS, ids=lambda v: v.name)
def test_each_cell_is_refused_or_ends_in_a_declared_state(
    transition: Transition, state: State
) -> None:
    allowed = outcomes(transition, state)
    assert allowed <= {*STORED, State.ABSENT}
    assert (state in TABLE[transition]) == bool(allowed)


@pytest.mark.parametrize("state", STORED, ids=lambda s: s.name)
def test_a_row_of_each_shape_is_classified_as_its_state(state: State) -> None:
    status, queue, archived = state.shape
    length = 0 if queue is Queue.EMPTY else 2
    assert classify(status, length, queue is Queue.HELD, archived) is state


@pytest.mark.parametrize(
    "row",
    [
        ("waiting", 1, False, False),  # it may start its next message, so it has
        ("waiting", 0, True, False),  # an empty queue is never held
        ("error", 1, True, False),  # nothing starts by itself in error: a hold means nothing
        ("running", 0, False, True),  # a busy chat is not archived
        ("interrupting", 3, True, True),
        ("running", -1, False, False),
        ("asleep", 0, False, False),
    ],
)
def test_a_row_of_any_other_shape_is_invalid(row: tuple[str, int, bool, bool]) -> None:
    assert classify(*row) is State.INVALID


def test_only_the_declared_states_can_be_reached() -> None:
    seen, todo = {State.ABSENT}, deque([State.ABSENT])
    while todo:
        state = todo.popleft()
        for transition in Transition:
            for outcome in outcomes(transition, state) - seen:
                seen.add(outcome)
                todo.append(outcome)
    assert seen == {*STORED, State.ABSENT}


# --- exploration with a bounded queue: (state, length of the queue) ----------------------------

QUEUE_BOUND = 3
Place = tuple[State, int]


def fits(state: State, length: int) -> bool:
    if state in (State.ABSENT, State.INVALID):
        return length == 0
    return (length == 0) == (state.shape.queue is Queue.EMPTY) and 0 <= length <= QUEUE_BOUND


# The changes of the queue's length that a transition may make.
GROWS = {
    Transition.SEND: (0, 1),
    Transition.SEND_INTERRUPT: (0, 1),
    Transition.SEND_STEER: (0, 1),
}
STEERED = tuple(range(-QUEUE_BOUND, 1))
SHRINKS = {
    Transition.DELETE_QUEUED: (-1,),
    Transition.PROMOTE_QUEUED: (-1, 0),
    Transition.RELEASE_QUEUE: (-1, 0),
    Transition.INTERRUPT: (-1, 0),
    Transition.FINISH_INTERRUPTION: (-1, 0),
    Transition.FINISH_TURN: (-1, 0),
    Transition.COMMIT_RESULTS: STEERED,
    Transition.COMPLETE_ACTION: STEERED,
    Transition.CANCEL_ACTION: STEERED,
}


def steps(place: Place) -> set[tuple[Transition, Place]]:
    state, length = place
    found = set()
    for transition in Transition:
        if transition in (Transition.EDIT, Transition.DELETE):
            changes: tuple[int, ...] = (-length,)
        else:
            changes = GROWS.get(transition, SHRINKS.get(transition, (0,)))
        for outcome in outcomes(transition, state):
            for change in changes:
                if fits(outcome, length + change):
                    found.add((transition, (outcome, length + change)))
    return found


def explore() -> set[Place]:
    start: Place = (State.ABSENT, 0)
    seen, todo = {start}, deque([start])
    while todo:
        for _, place in steps(todo.popleft()):
            if place not in seen:
                seen.add(place)
                todo.append(place)
    return seen


def test_exploration_meets_every_state_with_every_fitting_queue() -> None:
    wanted = {(s, n) for s in STORED for n in range(QUEUE_BOUND + 1) if fits(s, n)}
    assert explore() == {*wanted, (State.ABSENT, 0)}


def test_every_allowed_move_is_possible_with_some_queue() -> None:
    """A cell that no queue length fits would be a gap or a mistake in the table."""
    taken = {(t, place[0], after[0]) for place in explore() for t, after in steps(place)}
    declared = {
        (t, state, outcome)
        for t, row in TABLE.items()
        for state, allowed in row.items()
        for outcome in allowed
        if state is not State.INVALID
    }
    assert declared == taken


def test_each_busy_state_has_a_way_out_without_a_person() -> None:
    """Ownership aside, the daemon alone ends it; only a user's answer may be missing."""
    moving = BY_DAEMON - {Transition.ACQUIRE, Transition.RELEASE, Transition.REQUIRE_ACTION}
    for start in BUSY:
        seen, todo = {start}, deque([start])
        while todo:
            state = todo.popleft()
            for transition in moving:
                for outcome in outcomes(transition, state) - seen:
                    seen.add(outcome)
                    todo.append(outcome)
        assert seen & {State.W, State.P, State.E0, State.E1}, start


def test_nothing_that_needs_a_worker_is_overlooked_by_acquisition() -> None:
    assert BUSY <= RUNNABLE | OWED_BY_A_PERSON
    assert RUNNABLE == BUSY
    assert not RUNNABLE & ARCHIVED


def test_a_busy_chat_cannot_be_archived_or_deleted() -> None:
    for state in BUSY:
        assert not outcomes(Transition.ARCHIVE, state)
        assert not outcomes(Transition.DELETE, state)


def test_ownership_never_moves_execution_state() -> None:
    for transition in (Transition.ACQUIRE, Transition.RELEASE):
        assert all(outcomes(transition, state) == {state} for state in STORED)
