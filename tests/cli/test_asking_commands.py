"""Questions of a chat on the command line: seen, answered, and told to scripts."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from cli.test_commands_with_daemon import Shell, palaver
from palaver.cli.ls import row
from palaver.cli.messages import part_text
from palaver.cli.questions import asked_text
from palaver.cli.result import turn_result
from palaver.cli.tail_text import TailText
from palaver.cli.turn import Turn
from palaver.wire.chats import Sent
from palaver.wire.events import ActionRequired, CaughtUp
from palaver.wire.messages import ToolCall
from palaver.wire.questions import Asks, OpenCall
from support.chats import reaches
from tools.test_asking import asking
from tui.replay import chat, status, user

__all__ = ["palaver"]  # the fixture

UNTIL = datetime(2026, 11, 29, 10, 45, tzinfo=UTC)
QUESTION = OpenCall("call-1", "ask_user", "{}", question="Which\x1b one?", options=["a", "b"])
DEPLOY = OpenCall("call-2", "deploy", '{"to": "stage"}', deadline=UNTIL)


def test_a_question_is_printed_with_its_options_and_the_command_that_answers_it() -> None:
    assert asked_text("c", [QUESTION]).splitlines() == [
        "The model asks: Which␛ one?",
        "  1  a",
        "  2  b",
        "To answer:  palaver answer c call-1 TEXT  (or --option N)",
    ]


def test_a_clients_tool_is_printed_with_its_arguments_and_its_deadline() -> None:
    assert asked_text("c", [DEPLOY]).splitlines() == [
        'The model waits for the result of deploy {"to": "stage"} until 10:45:00 UTC',
        "To give it:  palaver answer c call-2 TEXT",
    ]
    long = OpenCall("call-3", "deploy", json.dumps("x" * 10_000))
    assert len(asked_text("c", [long])) < 1000


def test_the_list_shows_what_a_chat_asks() -> None:
    asks = Asks(3, "ask_user", "Which one?")
    assert row(chat("c", "Paint", "requires_action", asks=asks)).endswith(
        "Paint  ? Which one? (+2)"
    )
    waits = Asks(1, "deploy")
    assert row(chat("c", "Paint", "requires_action", asks=waits)).endswith("  ? waits for deploy")


def test_a_question_in_history_is_printed_as_one() -> None:
    arguments = json.dumps({"question": "Which one?", "options": ["a"]})
    assert part_text(ToolCall("c", "ask_user", arguments)) == "? Which one?\n  1  a"
    assert part_text(ToolCall("c", "ask_user", "{")) == "[ask_user {]"


def test_the_result_of_a_turn_that_asks_has_the_open_calls() -> None:
    turn = Turn(Sent(chat("c", "A chat", "running"), message=user(1, "go")))
    action = ActionRequired(["call-1", "call-2"], calls=[QUESTION, DEPLOY])
    for event in (status("requires_action"), action, CaughtUp(6)):
        turn.take(event)
    assert turn_result("c", turn).asked == [QUESTION, DEPLOY]


def test_a_followed_chat_says_once_what_it_asks() -> None:
    view = TailText(10)
    action = ActionRequired(["call-1"], calls=[QUESTION])
    view.take(CaughtUp(1))
    view.take(action)
    assert view.take(CaughtUp(2)) == "-- Which␛ one?\n"
    view.take(action)
    assert view.take(CaughtUp(3)) == ""


@pytest.mark.process
async def test_a_script_is_told_what_is_asked_and_answers_it(palaver: Shell) -> None:
    ended = await palaver("run", asking(options=["red", "blue"]), "--json", code=4)
    result = json.loads(ended.out.splitlines()[-1])
    assert (result["type"], result["status"]) == ("result", "action_required")
    [asked] = result["asked"]
    assert (asked["question"], asked["options"]) == ("Which colour?", ["red", "blue"])
    named, call = result["chat_id"], asked["call_id"]
    assert f"palaver answer {named} {call} TEXT" in ended.err

    shown = await palaver("show", named)
    assert "The model asks: Which colour?" in shown.err
    assert (await palaver.lines("show", named))[-1]["calls"] == [asked]
    assert "? Which colour?" in (await palaver("ls")).out
    [listed] = await palaver.lines("ls")
    assert listed["asks"]["question"] == "Which colour?"

    wrong = await palaver("answer", named, call, "--option", "3", code=1)
    assert "There is no option 3. It has 2." in wrong.err
    assert "goes on" in (await palaver("answer", named, call[:12], "--option", "2")).err
    late = await palaver("answer", named, call, "red", code=1)
    assert "answered before" in late.err
    await reaches(palaver.client, named, "waiting")
    messages = (await palaver.client.messages(named)).messages
    assert [part.text for m in messages if m.role == "tool" for part in m.parts] == ["blue"]  # type: ignore[union-attr]


@pytest.mark.process
async def test_an_answer_needs_words_and_a_call_that_there_is(palaver: Shell) -> None:
    chat_id = (await palaver("run", "hello", "--detach")).out.strip()
    assert "There is no answer" in (await palaver("answer", chat_id, "x", code=2)).err
    assert "not both" in (await palaver("answer", chat_id, "x", "y", "--option", "1", code=2)).err
    assert "no call nothing" in (await palaver("answer", chat_id, "nothing", "y", code=1)).err
