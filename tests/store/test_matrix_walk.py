"""Every transition that is implemented, tried in every state, on a real database.

Allowed cells end in a declared state and keep the invariants; all others raise and change
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection

from palaver.wire.messages import Text
from palaverd.chatstate.errors import NotInQueue, Refused, TransitionError
from palaverd.chatstate.states import STORED, Queue, State, Status
from palaverd.chatstate.table import TABLE, Transition
from palaverd.store.check import violations
from palaverd.store.door import finish
from palaverd.store.history import NewMessage, NewUserMessage, queue_ids
from palaverd.store.locked import LockedChat, lock
from palaverd.store.transitions import (
    generating,
    ownership,
    queue,
    recovering,
    sending,
    stopping,
)
from support.store import ERROR, NOW, dump, memory_store, plant, retry_info

ANSWER = NewMessage(role="assistant", parts=[Text("answer")], finish="stop", episode="3.1")
SECOND = NewUserMessage("second")


def first_queued(chat: LockedChat) -> int:
    return next(iter(queue_ids(chat.connection, chat.row.chat_id)), 99)


Action = Callable[[LockedChat], Any]
TURN = 3  # the turn version of a planted chat

# One way to ask for each transition; where its outcome depends on what is asked, all ways.
ACTIONS: dict[Transition, list[Action]] = {
    Transition.SEND: [lambda c: sending.send(c, SECOND), lambda c: sending.send(c, SECOND, 0)],
    Transition.SEND_INTERRUPT: [lambda c: sending.send_interrupt(c, SECOND)],
    Transition.EDIT_QUEUED: [lambda c: queue.edit_queued(c, first_queued(c), SECOND)],
    Transition.REORDER_QUEUED: [
        lambda c: queue.reorder_queued(c, queue_ids(c.connection, "c")[::-1])
    ],
    Transition.DELETE_QUEUED: [lambda c: queue.delete_queued(c, first_queued(c))],
    Transition.PROMOTE_QUEUED: [lambda c: queue.promote_queued(c, first_queued(c), TURN)],
    Transition.HOLD_QUEUE: [queue.hold_queue],
    Transition.RELEASE_QUEUE: [queue.release_queue],
    Transition.INTERRUPT: [
        lambda c: stopping.interrupt(c, TURN, hold_queue=False),
        lambda c: stopping.interrupt(c, TURN, hold_queue=True),
    ],
    Transition.RESUME: [
        lambda c: recovering.resume(c, TURN, None),
        lambda c: recovering.resume(c, TURN, NOW + 1000),
    ],
    Transition.SKIP_BACKOFF: [lambda c: recovering.skip_backoff(c, TURN, c.row.retry_version)],
    Transition.ACQUIRE: [lambda c: ownership.acquire(c, "worker", "runner")],
    Transition.RELEASE: [ownership.release],
    Transition.RECORD_ATTEMPT: [lambda c: generating.record_attempt(c, "sonnet")],
    Transition.RECORD_RETRY: [lambda c: generating.record_retry(c, retry_info())],
    Transition.COMMIT_RESPONSE: [lambda c: generating.commit_response(c, ANSWER)],
    Transition.COMMIT_RESULTS: [lambda c: generating.commit_results(c, [])],
    Transition.FINISH_INTERRUPTION: [
        lambda c: stopping.finish_interruption(c, ANSWER),
        lambda c: stopping.finish_interruption(c, None),
    ],
    Transition.FINISH_TURN: [generating.finish_turn],
    Transition.FINISH_ERROR: [lambda c: generating.finish_error(c, ERROR)],
}

WALK = [
    pytest.param(
        transition, action, state, queued, id=f"{transition}-{number}-{state.name}-{queued}"
    )
    for transition, actions in ACTIONS.items()
    for number, action in enumerate(actions)
    for state in STORED
    for queued in ((0,) if state.shape.queue is Queue.EMPTY else (1, 2))
]


@pytest.fixture(scope="module")
def store() -> Iterator[Connection]:
    with memory_store() as connection:
        yield connection


@contextmanager
def planted(store: Connection, transition: Transition, state: State, queued: int) -> Iterator[None]:
    """A chat in `state` for the length of a block; nothing of it stays."""
    waits = state.shape.status is Status.RUNNING and transition is Transition.SKIP_BACKOFF
    with store.begin() as transaction:
        plant(store, state, queued=queued, **({"retry": retry_info()} if waits else {}))
        yield
        transaction.rollback()


@pytest.mark.parametrize(("transition", "action", "state", "queued"), WALK)
def test_each_cell_does_what_the_table_says(
    store: Connection, transition: Transition, action: Action, state: State, queued: int
) -> None:
    with planted(store, transition, state, queued):
        before = dump(store)
        chat = lock(store, "c", NOW + 1)
        refusal: TransitionError | None = None
        try:
            said = action(chat)
        except (Refused, NotInQueue) as error:
            refusal = error
        if refusal is not None:
            assert state not in TABLE[transition]
            assert (refusal.transition, refusal.state) == (transition, state)
            assert dump(store) == before
            return
        applied = finish(chat, None)
        if not applied.changed:
            # An interrupt with nothing to stop is an answer, not a refusal.
            assert transition is Transition.INTERRUPT
            assert isinstance(said, str)
            assert dump(store) == before
            return
        assert applied.row.state in TABLE[transition][state]
        assert applied.row.snapshot_version == 6
        assert violations(store, "c") == []


def test_the_walk_reaches_every_outcome_of_every_implemented_cell(store: Connection) -> None:
    """Otherwise a cell could promise what no code ever does."""
    reached: set[tuple[Transition, State, State]] = set()
    for case in WALK:
        transition, action, state, queued = case.values
        if state not in TABLE[transition]:
            continue
        with planted(store, transition, state, queued):
            chat = lock(store, "c", NOW)
            action(chat)
            reached.add((transition, state, chat.row.state))
    promised = {
        (transition, state, outcome)
        for transition in ACTIONS
        for state, allowed in TABLE[transition].items()
        for outcome in allowed
    }
    assert promised - reached == set()
