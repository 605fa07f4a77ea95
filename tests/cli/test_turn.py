"""Follow one message to the end of its turn, whatever else happens in its chat."""

from __future__ import annotations

from typing import Any

import pytest

from client.protocol_server import WHEN, chat, versions
from palaver.cli.turn import Turn
from palaver.wire.chats import Sent
from palaver.wire.errors import ChatError
from palaver.wire.events import (
    CaughtUp,
    ErrorEvent,
    HistoryTruncated,
    MessageEvent,
    MessagePartEvent,
    QueueUpdate,
    StatusEvent,
    StreamEvent,
)
from palaver.wire.messages import Message, QueuedMessage, Text, Usage

QUEUED = QueuedMessage(id=1, position=0, content="mine", created_at=WHEN)


def message(id: int, role: str, text: str, **more: Any) -> Message:  # noqa: A002
    return Message(id, role, [Text(text)], more.pop("revision", 5), WHEN, **more)  # type: ignore[arg-type]


def said(id: int, role: str, text: str, **more: Any) -> MessageEvent:  # noqa: A002
    return MessageEvent(message(id, role, text, **more))


def status(word: str, turn: int = 2) -> StatusEvent:
    return StatusEvent(word, versions(turn=turn), "t")  # type: ignore[arg-type]


def live(text: str) -> MessagePartEvent:
    return MessagePartEvent("3.1", 0, 0, "text", text)


def at_once() -> Turn:
    sent = Sent(chat(status="running"), message=message(10, "user", "mine", revision=4))
    return Turn(sent)


def waiting() -> Turn:
    return Turn(Sent(chat(status="running"), queued=QUEUED))


def follow(turn: Turn, *events: StreamEvent) -> str:
    return "".join(turn.take(event) for event in events)


def test_a_turn_is_over_when_its_chat_is_idle() -> None:
    turn = at_once()
    assert follow(turn, status("running"), CaughtUp(4), live("Hel")) == "Hel"
    before = turn.outcome
    assert follow(turn, said(11, "assistant", "Hello"), status("waiting"), CaughtUp(6)) == "lo"
    assert before is None
    assert (turn.outcome, turn.text) == ("finished", "Hello")


def test_nothing_is_decided_before_everything_of_a_snapshot_came() -> None:
    turn = at_once()
    follow(turn, status("waiting"), said(11, "assistant", "Hello"))
    assert turn.outcome is None


def test_a_turn_is_over_when_the_next_message_enters_history() -> None:
    turn = at_once()
    text = follow(
        turn,
        said(11, "assistant", "Hello"),
        said(12, "user", "next"),
        said(13, "assistant", "not mine"),
        status("running", turn=5),
        CaughtUp(6),
    )
    assert (text, turn.text, turn.outcome) == ("Hello", "Hello", "finished")


def test_earlier_messages_are_not_the_answer() -> None:
    turn = at_once()
    assert follow(turn, said(9, "assistant", "old"), said(10, "user", "mine"), CaughtUp(4)) == ""
    assert turn.text == ""


@pytest.mark.parametrize(
    ("word", "outcome"), [("error", "error"), ("requires_action", "action_required")]
)
def test_a_turn_can_end_in_an_error_or_a_question(word: str, outcome: str) -> None:
    turn = at_once()
    error = ChatError("auth", "No key.")
    follow(turn, ErrorEvent(error), status(word), CaughtUp(6))
    assert (turn.outcome, turn.error) == (outcome, error)


def test_an_answer_that_was_stopped_is_interrupted() -> None:
    turn = at_once()
    follow(
        turn,
        said(11, "assistant", "Hel", finish="interrupted"),
        status("waiting"),
        CaughtUp(6),
    )
    assert (turn.outcome, turn.text) == ("interrupted", "Hel")


def test_a_turn_stopped_before_its_first_word_is_interrupted() -> None:
    turn = at_once()
    follow(turn, status("waiting"), CaughtUp(6))
    assert turn.outcome == "interrupted"


def test_a_message_that_is_edited_away_is_gone() -> None:
    turn = at_once()
    follow(turn, HistoryTruncated(from_id=9))
    assert turn.outcome == "gone"


def test_a_queued_message_waits_for_its_turn_and_prints_only_its_answer() -> None:
    turn = waiting()
    assert turn.queued
    before = follow(
        turn,
        QueueUpdate([QUEUED], held=False),
        CaughtUp(4),
        live("not mine"),
        said(9, "assistant", "not mine"),
    )
    assert (before, turn.outcome) == ("", None)
    text = follow(
        turn,
        said(10, "user", "mine", revision=6, queued_id=1),
        QueueUpdate([], held=False),
        status("running", turn=6),
        CaughtUp(6),
        live("Hel"),
    )
    assert (text, turn.queued, turn.turn_version) == ("Hel", False, 6)
    follow(turn, said(11, "assistant", "Hello"), status("waiting"), CaughtUp(8))
    assert (turn.outcome, turn.text) == ("finished", "Hello")


def test_a_queued_message_that_was_answered_in_between_is_found() -> None:
    turn = waiting()
    text = follow(
        turn,
        said(9, "user", "another", revision=5),
        said(10, "user", "mine", revision=6, queued_id=1),
        said(11, "assistant", "Hello", revision=7),
        said(12, "user", "mine", revision=8),
        QueueUpdate([], held=False),
        status("running", turn=8),
        CaughtUp(8),
    )
    assert (text, turn.outcome) == ("Hello", "finished")


def test_the_same_words_of_somebody_else_are_not_taken_for_the_queued_message() -> None:
    turn = waiting()
    text = follow(
        turn,
        said(9, "user", "mine", revision=5, queued_id=7),
        said(10, "assistant", "not mine", revision=6),
        said(11, "user", "mine", revision=7),
        said(12, "assistant", "not mine either", revision=8),
        said(13, "user", "said anew by its sender", revision=9, queued_id=1),
        said(14, "assistant", "Hello", revision=10),
        QueueUpdate([], held=False),
        status("waiting", turn=9),
        CaughtUp(10),
    )
    assert (text, turn.text, turn.outcome) == ("Hello", "Hello", "finished")


def test_a_queued_message_that_was_removed_is_gone() -> None:
    turn = waiting()
    follow(turn, said(9, "user", "mine"), QueueUpdate([], held=False), CaughtUp(5))
    assert turn.outcome == "gone"


@pytest.mark.parametrize(("word", "outcome"), [("paused", "held"), ("error", "error")])
def test_a_queued_message_that_nothing_will_promote_is_given_up(word: str, outcome: str) -> None:
    turn = waiting()
    follow(turn, status(word), CaughtUp(5))
    assert turn.outcome == outcome


def test_usage_is_the_sum_of_the_steps() -> None:
    turn = at_once()
    follow(
        turn,
        said(11, "assistant", "a", usage=Usage(input_tokens=3, output_tokens=1)),
        said(12, "assistant", "b", usage=Usage(input_tokens=5, cache_read_tokens=2)),
    )
    assert turn.usage == Usage(input_tokens=8, output_tokens=1, cache_read_tokens=2)


def test_a_reader_of_the_answer_has_read_the_chat_if_nothing_else_was_unread() -> None:
    turn = at_once()
    assert turn.read_to is None
    follow(turn, said(11, "assistant", "yes"), status("waiting"), CaughtUp(6))
    assert turn.read_to == 6


@pytest.mark.parametrize("why", ["unread before", "queued behind another", "another came after"])
def test_a_reader_of_the_answer_has_not_read_what_else_may_have_come(why: str) -> None:
    turn = at_once()
    mine = message(10, "user", "mine", revision=4, queued_id=1)
    if why == "unread before":
        turn = Turn(Sent(chat(status="running", unread=True), message=mine))
    elif why == "queued behind another":
        turn = waiting()
    follow(turn, QueueUpdate([], held=False), MessageEvent(mine), said(11, "assistant", "yes"))
    if why == "another came after":
        follow(turn, said(12, "user", "of somebody else"), said(13, "assistant", "unseen"))
    follow(turn, status("waiting"), CaughtUp(6))
    assert (turn.outcome, turn.snapshot, turn.read_to) == ("finished", 6, None)
