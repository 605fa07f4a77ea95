"""Requests that steer: what they may name, where they wait, and when they do not steer any more."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from palaver.wire.chats import SendMessage, Sent
from palaver.wire.messages import Part, Text, ToolCall, ToolResult
from palaverd.chatstate.errors import KeyReused, QueueFull
from palaverd.chatstate.states import State
from palaverd.store.door import Door
from palaverd.store.history import NewMessage, NewUserMessage
from palaverd.store.sync import load_page, load_queue
from palaverd.store.transitions.queue import edit_queued, reorder_queued
from palaverd.store.transitions.turn import commit_response, commit_results, finish_turn
from palaverd.usecases.errors import InvalidRequest
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import send_message
from support.inline import at_once, inline_door
from support.store import OWNER, context_of, plant

TURN = 3  # of a planted chat


@pytest.fixture
def door(store: Connection) -> Door:
    return inline_door(store)


def steer(door: Door, text: str, turn: int | None = TURN, key: str | None = None) -> Sent:
    message = SendMessage(text, when_busy="steer", turn_version=turn)
    return at_once(send_message(context_of(door), "c", Asker(OWNER, key), message))


def waiting(store: Connection) -> list[str]:
    return [one.content for one in load_queue(store, "c")]


def steering(store: Connection) -> list[str]:
    return [one.content for one in load_queue(store, "c") if one.steer_turn == TURN]


@pytest.mark.parametrize(
    ("changes", "field"), [({"model": "sonnet"}, "model"), ({"position": 0}, "position")]
)
def test_it_has_neither_a_model_nor_a_place(
    store: Connection, door: Door, changes: dict[str, object], field: str
) -> None:
    message = SendMessage("x", when_busy="steer", **changes)  # type: ignore[arg-type]
    with store.begin(), pytest.raises(InvalidRequest) as refused:
        at_once(send_message(context_of(door, "sonnet"), "c", Asker(OWNER), message))
    assert refused.value.field == field


@pytest.mark.parametrize("state", [State.R1, State.Rh, State.I1, State.A1, State.Ah])
def test_it_waits_at_the_head_behind_others_that_steer(
    store: Connection, door: Door, state: State
) -> None:
    with store.begin() as transaction:
        plant(store, state, queued=1)
        steer(door, "one")
        sent = steer(door, "two", turn=None)  # the current turn
        assert sent.queued is not None
        assert (sent.queued.position, sent.queued.steer_turn) == (1, TURN)
        assert waiting(store) == ["one", "two", "queued 0"]
        assert sent.chat.queue == state.shape.queue
        transaction.rollback()


def test_only_an_unbroken_run_at_the_head_is_before_it(store: Connection, door: Door) -> None:
    with store.begin() as transaction:
        plant(store, State.R1, queued=1)
        for text in ("one", "two"):
            steer(door, text)
        first, second, ordinary = (one.id for one in load_queue(store, "c"))
        at_once(door.apply("c", lambda c: reorder_queued(c, [first, ordinary, second])))
        steer(door, "three")
        assert waiting(store) == ["one", "three", "queued 0", "two"]
        assert steering(store) == ["one", "three", "two"]
        transaction.rollback()


def test_for_a_turn_that_is_over_it_is_queued_at_the_end(store: Connection, door: Door) -> None:
    with store.begin() as transaction:
        plant(store, State.R1, queued=1)
        sent = steer(door, "late", turn=TURN - 1)
        assert sent.queued is not None
        assert sent.queued.steer_turn is None
        assert waiting(store) == ["queued 0", "late"]
        transaction.rollback()


@pytest.mark.parametrize("turn", [TURN, TURN - 1])
def test_an_idle_chat_runs_it(store: Connection, door: Door, turn: int) -> None:
    with store.begin() as transaction:
        plant(store, State.W)
        sent = steer(door, "now", turn=turn)
        assert sent.message is not None
        assert sent.chat.versions.turn == sent.chat.versions.snapshot
        transaction.rollback()


def test_a_repeated_key_finds_it_and_another_way_to_send_it_is_refused(
    store: Connection, door: Door
) -> None:
    with store.begin() as transaction:
        plant(store, State.R0)
        first = steer(door, "once", key="k")
        again = steer(door, "once", key="k")
        assert (again.queued, again.repeated) == (first.queued, True)
        other = SendMessage("once", turn_version=TURN)
        with pytest.raises(KeyReused):
            at_once(send_message(context_of(door), "c", Asker(OWNER, "k"), other))
        transaction.rollback()


def test_a_full_queue_takes_none(store: Connection, door: Door) -> None:
    with store.begin() as transaction:
        plant(store, State.R1, queued=20)
        with pytest.raises(QueueFull):
            steer(door, "one too many")
        transaction.rollback()


def respond(door: Door, *calls: str) -> None:
    """Commit a response with these calls."""
    parts: list[Part] = [
        Text("hm"),
        *(ToolCall(id=call, name="look", arguments="{}") for call in calls),
    ]
    message = NewMessage(role="assistant", parts=parts)
    at_once(door.apply("c", lambda c: commit_response(c, message)))


def end_calls(door: Door, *calls: str) -> None:
    """Commit the results of these calls."""
    results = [ToolResult(call_id=call, text="seen") for call in calls]
    at_once(door.apply("c", lambda c: commit_results(c, results)))


def users(store: Connection) -> list[str]:
    page, _ = load_page(store, "c")
    return [m.parts[0].text for m in page[::-1] if m.role == "user"]  # type: ignore[union-attr]


def test_it_waits_until_every_call_has_its_result(store: Connection, door: Door) -> None:
    with store.begin() as transaction:
        plant(store, State.R0)
        steer(door, "in blue")
        respond(door, "c1", "c2")
        end_calls(door, "c1")
        assert waiting(store) == ["in blue"]
        end_calls(door, "c2")
        assert (waiting(store), users(store)) == ([], ["first", "in blue"])
        transaction.rollback()


def test_in_history_it_is_the_message_that_was_sent(store: Connection, door: Door) -> None:
    with store.begin() as transaction:
        plant(store, State.R0)
        sent = steer(door, "in blue", key="k")
        assert sent.queued is not None
        respond(door, "c1")
        end_calls(door, "c1")
        [newest, *_], _ = load_page(store, "c")
        assert (newest.key, newest.queued_id) == ("k", sent.queued.id)
        again = steer(door, "in blue", key="k")
        assert (again.message, again.repeated) == (newest, True)
        transaction.rollback()


def test_unsent_at_the_end_of_the_turn_it_is_the_next_message(
    store: Connection, door: Door
) -> None:
    with store.begin() as transaction:
        plant(store, State.R1, queued=1)
        for text in ("one", "two"):
            steer(door, text)
        respond(door)
        at_once(door.apply("c", finish_turn))
        # The first began a turn of its own, in which the other does not steer.
        assert (users(store), waiting(store)) == (["first", "one"], ["two", "queued 0"])
        assert steering(store) == ["two"]  # by its mark, whose turn is over
        respond(door, "c1")
        end_calls(door, "c1")
        assert (users(store), waiting(store)) == (["first", "one"], ["two", "queued 0"])
        transaction.rollback()


def test_an_edit_keeps_the_mark_unless_it_chooses_a_model(store: Connection, door: Door) -> None:
    with store.begin() as transaction:
        plant(store, State.R0)
        queued_id = steer(door, "in bleu").queued.id  # type: ignore[union-attr]
        changed = NewUserMessage("in blue")
        at_once(door.apply("c", lambda c: edit_queued(c, queued_id, changed)))
        assert steering(store) == ["in blue"]
        changed = NewUserMessage("in blue", model="small")
        at_once(door.apply("c", lambda c: edit_queued(c, queued_id, changed)))
        assert (steering(store), waiting(store)) == ([], ["in blue"])
        transaction.rollback()
