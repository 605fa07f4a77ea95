"""Every transition in every state, on a real database.

Allowed cells end in a declared state and keep the invariants; all others raise and change
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, update

from palaver.wire.actions import CallAnswer
from palaver.wire.messages import Failure, Text, ToolCall
from palaverd.chatstate.errors import TransitionError
from palaverd.chatstate.states import STORED, Queue, State, Status
from palaverd.chatstate.table import TABLE, Transition
from palaverd.store import codec
from palaverd.store.calls import WantedCall
from palaverd.store.check import violations
from palaverd.store.door import NewChat, finish, fresh_chat
from palaverd.store.history import NewMessage, NewUserMessage, queue_ids
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import ChatRow
from palaverd.store.tables import chats, messages, queued_messages, tool_runs
from palaverd.store.transitions import (
    archive,
    edit,
    importing,
    interrupt,
    ownership,
    queue,
    reconcile,
    required_action,
    retry,
    send,
    turn,
)
from support.store import (
    ERROR,
    NOW,
    OWNER,
    add_message,
    dump,
    plant,
    retry_info,
)

ANSWER = NewMessage(role="assistant", parts=[Text("answer")], finish="stop", episode="3.1")
SECOND = NewUserMessage("second")


def first_queued(chat: LockedChat) -> int:
    return next(iter(queue_ids(chat.connection, chat.row.chat_id)), 99)


Action = Callable[[LockedChat], Any]
TURN = 3  # the turn version of a chat written by the test

CALLS = [ToolCall(id=f"call-{n}", name="ask", arguments="{}") for n in (1, 2)]
ANSWERED = [CallAnswer(call_id=call.id, text="yes") for call in CALLS]


def first_message(chat: LockedChat) -> int:
    return int(chat.connection.execute(select(func.min(messages.c.id))).scalar_one())


def cancelled(chat: LockedChat, due: set[str]) -> str | None:
    """Let the deadlines of some calls pass, then cancel the due ones."""
    chat.connection.execute(
        update(tool_runs).where(tool_runs.c.call_id.in_(due)).values(deadline=NOW - 1)
    )
    return None if required_action.cancel_action(chat) else "nothing was due"


def steering(action: Action, most: int) -> Action:
    """Let the first `most` queued messages steer the turn, then act."""

    def act(chat: LockedChat) -> Any:
        first = queue_ids(chat.connection, "c")[:most]
        marked = update(queued_messages).where(queued_messages.c.id.in_(first))
        with chat.connection.begin_nested() as marks:  # a refusal changes nothing
            chat.connection.execute(marked.values(steer_turn=TURN))
            said = action(chat)
            if isinstance(said, str):  # nor does an action that says why it had nothing to do
                marks.rollback()
            return said

    return act


# One request for each transition; all kinds of requests where the outcome depends on them.
ACTIONS: dict[Transition, list[Action]] = {
    Transition.SEND: [lambda c: send.send(c, SECOND), lambda c: send.send(c, SECOND, 0)],
    Transition.SEND_INTERRUPT: [
        lambda c: send.send_interrupt(c, SECOND),
        lambda c: send.send_interrupt(c, SECOND, 0),
    ],
    Transition.SEND_STEER: [lambda c: send.send_steer(c, SECOND)],
    Transition.EDIT_QUEUED: [lambda c: queue.edit_queued(c, first_queued(c), SECOND)],
    Transition.REORDER_QUEUED: [
        lambda c: queue.reorder_queued(c, queue_ids(c.connection, "c")[::-1])
    ],
    Transition.DELETE_QUEUED: [lambda c: queue.delete_queued(c, first_queued(c))],
    Transition.PROMOTE_QUEUED: [lambda c: queue.promote_queued(c, first_queued(c), TURN)],
    Transition.HOLD_QUEUE: [queue.hold_queue],
    Transition.RELEASE_QUEUE: [queue.release_queue],
    Transition.INTERRUPT: [
        lambda c: interrupt.interrupt(c, TURN, hold_queue=False),
        lambda c: interrupt.interrupt(c, TURN, hold_queue=True),
    ],
    Transition.RESUME: [
        lambda c: retry.resume(c, TURN, None),
        lambda c: retry.resume(c, TURN, NOW + 1000),
    ],
    Transition.SKIP_BACKOFF: [lambda c: retry.skip_backoff(c, TURN, c.row.retry_version)],
    Transition.ACQUIRE: [lambda c: ownership.acquire(c, "worker", "runner")],
    Transition.RELEASE: [ownership.release],
    Transition.RECORD_ATTEMPT: [lambda c: turn.record_attempt(c, "sonnet")],
    Transition.RECORD_RETRY: [lambda c: turn.record_retry(c, retry_info())],
    Transition.COMMIT_RESPONSE: [lambda c: turn.commit_response(c, ANSWER)],
    Transition.COMMIT_RESULTS: [
        lambda c: turn.commit_results(c, []),
        steering(lambda c: turn.commit_results(c, []), 1),
    ],
    Transition.FINISH_INTERRUPTION: [
        lambda c: interrupt.finish_interruption(c, ANSWER),
        lambda c: interrupt.finish_interruption(c, None),
    ],
    Transition.FINISH_TURN: [turn.finish_turn],
    Transition.FINISH_ERROR: [lambda c: turn.finish_error(c, ERROR)],
}

# These need more of a chat than its state, or create or delete a chat.
ACTIONS |= {
    Transition.CREATE: [lambda c: send.create(c, SECOND)],
    Transition.FORK: [lambda c: edit.fork(c, c, first_message(c))],
    Transition.IMPORT: [lambda c: importing.import_history(c, [[ANSWER]])],
    Transition.EDIT: [lambda c: edit.edit(c, first_message(c), SECOND, TURN)],
    Transition.CLEAR_CONTEXT: [lambda c: edit.clear_context(c, TURN)],
    Transition.REQUEST_COMPACTION: [edit.request_compaction],
    Transition.ABANDON_COMPACTION: [edit.abandon_compaction],
    Transition.ARCHIVE: [lambda c: archive.archive([c])],
    Transition.UNARCHIVE: [lambda c: archive.unarchive([c], None)],
    Transition.DELETE: [lambda c: archive.delete_family([c])],
    Transition.SET_WAITING_FOR_CHILDREN: [lambda c: ownership.set_waiting_for_children(c, True)],
    Transition.REQUIRE_ACTION: [
        lambda c: required_action.require_action(c, [WantedCall("call-1", "result", NOW)])
    ],
    Transition.COMPLETE_ACTION: [
        lambda c: required_action.complete_action(c, TURN, [ANSWERED[0]], "ann"),
        lambda c: required_action.complete_action(c, TURN, ANSWERED, "ann"),
        steering(lambda c: required_action.complete_action(c, TURN, ANSWERED, "ann"), 1),
    ],
    Transition.CANCEL_ACTION: [
        lambda c: cancelled(c, {"call-1"}),
        lambda c: cancelled(c, {"call-1", "call-2"}),
        steering(lambda c: cancelled(c, {"call-1", "call-2"}), 1),
    ],
    Transition.RECONCILE: [],  # tested separately: it begins in no state
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


def outcome(chat: LockedChat) -> State:
    return State.ABSENT if chat.deleted else chat.row.state


def plant_calls(store: Connection, row: ChatRow) -> None:
    """Write two open calls that a client must answer."""
    add_message(store, row, "assistant", CALLS)
    for call in CALLS:
        store.execute(
            insert(tool_runs).values(
                chat_id="c",
                call_id=call.id,
                needs="result",
                deadline=NOW + 1000,
                requested_at=NOW,
            )
        )


@contextmanager
def planted(store: Connection, transition: Transition, state: State, queued: int) -> Iterator[None]:
    """A chat in `state` while the block runs; nothing of it remains."""
    waits = state.shape.status is Status.RUNNING and transition is Transition.SKIP_BACKOFF
    with store.begin() as transaction:
        waiting: dict[str, Any] = {"retry": retry_info()} if waits else {}
        row = plant(store, state, queued=queued, **waiting)
        if state.shape.status is Status.REQUIRES_ACTION:
            plant_calls(store, row)
        elif transition is Transition.REQUEST_COMPACTION:
            add_message(store, row, "assistant", [{"type": "text", "text": "answer"}])
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
        except TransitionError as error:
            refusal = error
        if refusal is not None:
            assert state not in TABLE[transition]
            assert (refusal.transition, refusal.state) == (transition, state)
            assert dump(store) == before
            return
        applied = finish(chat, None)
        if not applied.changed:
            # Nothing to stop, or nothing past its deadline: a result, not a refusal.
            assert transition in (Transition.INTERRUPT, Transition.CANCEL_ACTION)
            assert said
            assert state not in TABLE[transition] or transition is Transition.INTERRUPT
            assert dump(store) == before
            return
        assert outcome(chat) in TABLE[transition][state]
        assert applied.row.snapshot_version == 6
        if not chat.deleted:
            assert violations(store, "c") == []


def test_the_walk_reaches_every_outcome_of_every_implemented_cell(store: Connection) -> None:
    """Otherwise a cell could promise an outcome that no code produces."""
    reached: set[tuple[Transition, State, State]] = set()
    for case in WALK:
        values: Any = case.values
        transition, action, state, queued = values
        if state not in TABLE[transition]:
            continue
        with planted(store, transition, state, queued):
            chat = lock(store, "c", NOW)
            action(chat)
            reached.add((transition, state, outcome(chat)))
    promised = {
        (transition, state, end)
        for transition in ACTIONS
        for state, allowed in TABLE[transition].items()
        if state in STORED
        for end in allowed
    }
    assert promised - reached == set()


def test_every_transition_is_walked() -> None:
    assert set(ACTIONS) == set(Transition)


def test_a_chat_begins_by_creating_forking_or_importing(store: Connection) -> None:
    with store.begin() as transaction:
        plant(store, State.W, chat_id="source")
        new = NewChat(owner=OWNER, title="t")
        made = fresh_chat(store, "c", new, NOW)
        send.create(made, SECOND)
        finish(made, None)
        assert made.row.state in TABLE[Transition.CREATE][State.ABSENT]
        forked = fresh_chat(store, "d", new, NOW)
        source = lock(store, "source", NOW)
        edit.fork(source, forked, first_message(source))
        finish(forked, None)
        assert forked.row.state in TABLE[Transition.FORK][State.ABSENT]
        imported = fresh_chat(store, "e", new, NOW)
        importing.import_history(imported, [[ANSWER], [ANSWER]])
        finish(imported, None)
        assert imported.row.state in TABLE[Transition.IMPORT][State.ABSENT]
        assert violations(store, "c") + violations(store, "d") + violations(store, "e") == []
        transaction.rollback()


BROKEN: list[dict[str, Any]] = [
    {"status": "asleep"},
    {"status": "running", "archived": True},
    {"status": "waiting", "queue_length": 2, "queue_held": False},
    {"status": "waiting", "queue_length": 0, "queue_held": True},
    {"status": "error", "last_error": None},
    {"status": "running", "queue_length": 7},
    {"status": "running", "history_version": 99},
    {"status": "waiting", "retry": "whatever"},
    {"status": "running", "worker_id": "w", "runner_id": None},
    {"status": "error", "last_error": "an older writer's sentence", "resume_at": 5, "archived": 1},
]


@pytest.mark.parametrize("columns", BROKEN, ids=lambda c: " ".join(map(str, c.values())))
def test_a_chat_in_no_state_is_repaired_to_an_error_and_loses_nothing(
    store: Connection, columns: dict[str, Any]
) -> None:
    with store.begin() as transaction:
        plant(store, State.R1, queued=2)
        store.execute(update(chats).values(**columns))
        before = store.execute(select(messages.c.id)).scalars().all()
        chat = lock(store, "c", NOW)
        assert reconcile.reconcile(chat) != []
        finish(chat, None)
        assert chat.row.state in TABLE[Transition.RECONCILE][State.INVALID]
        assert violations(store, "c") == []
        assert chat.row.queue_length == 2
        *kept, told = store.execute(select(messages).order_by(messages.c.id)).mappings()
        assert [one["id"] for one in kept] == before
        assert codec.load_parts(told["parts"]) == [Failure(reconcile.REPAIRED)]
        again = lock(store, "c", NOW)
        assert reconcile.reconcile(again) == []
        assert not again.changed
        transaction.rollback()
