"""Questions of the model in the client: shown, answered once, and never by accident."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from palaver.wire.events import ActionRequired, CaughtUp, MessageEvent
from palaver.wire.messages import Message, ToolCall, ToolResult
from palaver.wire.questions import OpenCall
from palaver_tui.state.chat import ChatView
from palaver_tui.state.questions import answered_elsewhere, other_calls, question
from palaver_tui.timing import QUESTION_SHOWN_S, SAME_STROKE_S, TYPED_ELSEWHERE_S
from tui.replay import T0, ReplayClient, answer, chat, problem, status, user, versions
from tui.screen import Client, client

ASKED = OpenCall(
    "c1",
    "ask_user",
    '{"question":"Which colour?","options":["red","blue"]}',
    question="Which colour?",
    options=["red", "blue"],
)
OPEN = OpenCall("c2", "ask_user", '{"question":"What name?"}', question="What name?")
DEPLOY = OpenCall("c3", "deploy", '{"to":"stage"}', deadline=T0 + timedelta(minutes=5))
QUIET_S = QUESTION_SHOWN_S + TYPED_ELSEWHERE_S + SAME_STROKE_S


def asks(*calls: OpenCall) -> ReplayClient:
    """Return a daemon with a chat that asks."""
    daemon = ReplayClient()
    daemon.open(chat("a", "A chat", "requires_action"))
    tell(daemon, *calls)
    return daemon


def tell(daemon: ReplayClient, *calls: OpenCall) -> None:
    made = [ToolCall(call.call_id, call.tool, call.arguments) for call in calls]
    daemon.stream_of("a").tell(
        MessageEvent(user(1, "paint it")),
        MessageEvent(answer(2, *made, finish="tool_calls")),
        status("requires_action", versions=versions(5, 5, 4)),
        ActionRequired([call.call_id for call in calls], calls=list(calls)),
        CaughtUp(5),
    )


def result_of(call_id: str, text: str, *, is_error: bool = False) -> Message:
    return Message(3, "tool", [ToolResult(call_id, text, is_error)], 6, T0)


def tell_answered(daemon: ReplayClient, text: str, *, is_error: bool = False) -> None:
    daemon.stream_of("a").tell(
        MessageEvent(result_of("c1", text, is_error=is_error)),
        status("running", versions=versions(6, 6, 4)),
        ActionRequired([]),
        CaughtUp(6),
    )


async def may_be_answered(me: Client) -> None:
    """Let the time pass in which keys answer nothing."""
    me.clock.advance(QUIET_S)
    await me.until(lambda: me.app.context.answering.ready)
    me.app.paint()
    await me.pilot.pause()


# --- answering --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "text"),
    [(["1"], "red"), (["2"], "blue"), (["down", "enter"], "blue"), (["enter"], "red")],
)
async def test_an_option_is_chosen_by_number_or_with_arrows(
    tmp_path: Path, keys: Sequence[str], text: str
) -> None:
    async with client(tmp_path, daemon=asks(ASKED), chat_id="a") as me:
        await me.shows("The model asks", "1  red", "2  blue")
        await may_be_answered(me)
        assert me.app.main.question.has_focus
        await me.press(*keys)
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [("answer", "c1", text, 4)]
        assert me.composer.has_focus


async def test_own_words_are_the_answer_and_not_a_message(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(ASKED), chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("g", "r", "e", "e", "n")
        assert me.composer.text == "green"
        await me.shows("answer ·")
        await me.press("enter")
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [("answer", "c1", "green", 4)]
        assert me.daemon.sent == []
        assert me.composer.text == ""


async def test_an_option_is_chosen_with_two_clicks(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(ASKED), chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        blue = (6, 3)  # in the frame: below the question and the first option
        await me.pilot.click("#question", offset=blue)
        assert (me.app.main.question.selected, me.daemon.asked) == (1, [])
        await me.pilot.click("#question", offset=blue, times=2)
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [("answer", "c1", "blue", 4)]


async def test_a_number_that_no_option_has_is_the_beginning_of_own_words(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(ASKED), chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("3", "x")
        assert (me.composer.text, me.daemon.asked) == ("3x", [])


async def test_a_question_without_options_is_answered_in_the_composer(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(OPEN), chat_id="a") as me:
        await me.shows("What name?", "write the answer")
        await may_be_answered(me)
        assert me.composer.has_focus
        await me.press("P", "a", "t", "enter")
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [("answer", "c2", "Pat", 4)]


async def test_enter_in_an_empty_composer_goes_to_the_question(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(ASKED), chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("escape")
        assert me.composer.has_focus
        await me.shows("choose an answer")
        await me.press("enter")
        assert me.app.main.question.has_focus
        assert me.daemon.asked == []


async def test_a_second_answer_is_not_sent_while_the_first_is_on_its_way(tmp_path: Path) -> None:
    daemon = asks(ASKED)
    daemon.answers.clear()
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("1")
        await me.shows("sending")
        me.app.main.question.focus()
        await me.press("2")
        daemon.answers.set()
        await me.until(lambda: daemon.asked)
        assert daemon.asked == [("answer", "c1", "red", 4)]


# --- never by accident ------------------------------------------------------------------------


async def test_keys_right_after_a_question_appeared_are_words_and_no_answer(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(ASKED), chat_id="a") as me:
        await me.shows("The model asks")
        await me.press("1", "2")
        assert (me.composer.text, me.daemon.asked) == ("12", [])
        assert not me.app.main.question.has_focus


async def test_the_question_takes_no_focus_from_who_writes(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(ASKED), chat_id="a") as me:
        await me.shows("The model asks")
        await me.press("h", "i")
        await may_be_answered(me)
        assert me.composer.has_focus
        await me.press("1")
        assert (me.composer.text, me.daemon.asked) == ("hi1", [])


async def test_words_that_were_begun_before_a_question_answer_it_at_the_second_enter(
    tmp_path: Path,
) -> None:
    daemon = ReplayClient()
    daemon.open(chat("a", "A chat", "running"))
    daemon.stream_of("a").tell(MessageEvent(user(1, "paint it")), status("running"), CaughtUp(1))
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.until(lambda: me.view.caught_up)
        await me.press("n", "e", "x", "t")
        tell(daemon, ASKED)
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("enter")
        await me.shows("came up while you wrote")
        assert (me.composer.text, daemon.asked, daemon.sent) == ("next", [], [])
        me.clock.advance(SAME_STROKE_S + 0.1)
        await me.press("enter")
        await me.until(lambda: daemon.asked)
        assert daemon.asked == [("answer", "c1", "next", 4)]


async def test_words_for_a_question_that_is_gone_are_a_message_at_the_second_enter(
    tmp_path: Path,
) -> None:
    daemon = asks(ASKED)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("g", "o")
        tell_answered(daemon, "red")
        await me.shows("answered by another client: red")
        await me.press("enter")
        await me.shows("not open any more")
        assert (me.composer.text, daemon.asked, daemon.sent) == ("go", [], [])
        me.clock.advance(SAME_STROKE_S + 0.1)
        await me.press("enter")
        await me.until(lambda: daemon.sent)
        assert daemon.sent[0][1].content == "go"


async def test_a_message_that_interrupts_is_sent_instead_of_an_answer(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(ASKED), chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("n", "o", "ctrl+s")
        await me.until(lambda: me.daemon.sent)
        [(_, request, _)] = me.daemon.sent
        assert (request.content, request.when_busy) == ("no", "interrupt")
        assert me.daemon.asked == []


async def test_escape_leaves_the_question_first_and_then_stops_the_turn(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(ASKED), chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.shows("leave the question")
        await me.press("escape")
        assert me.daemon.interrupts == []
        await me.press("escape")
        await me.until(lambda: me.daemon.interrupts)


# --- two clients ------------------------------------------------------------------------------


async def test_who_answers_second_is_told_by_whom_and_keeps_the_words(tmp_path: Path) -> None:
    daemon = asks(ASKED)
    daemon.told = replace(daemon.told, user="ann")
    daemon.answered_by = "bob"
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("g", "o", "enter")
        await me.shows("answered before, by bob")
        assert me.composer.text == "go"


async def test_a_refused_answer_keeps_the_words_and_the_question(tmp_path: Path) -> None:
    daemon = asks(ASKED)
    daemon.refusal = problem("Not now.", 409, "refused")
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("g", "o", "enter")
        await me.shows("Not now.")
        assert me.composer.text == "go"
        daemon.refusal = None
        me.clock.advance(QUIET_S)
        await me.press("enter")
        await me.until(lambda: daemon.asked)


async def test_a_question_that_is_answered_elsewhere_is_gone_and_the_focus_is_back(
    tmp_path: Path,
) -> None:
    daemon = asks(ASKED)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        tell_answered(daemon, "blue")
        await me.hides("The model asks")
        await me.shows("answered by another client: blue")
        assert me.composer.has_focus


async def test_the_client_that_answered_is_not_told_of_its_own_answer(tmp_path: Path) -> None:
    daemon = asks(ASKED)
    async with client(tmp_path, daemon=daemon, chat_id="a") as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        await me.press("2")
        await me.until(lambda: daemon.asked)
        tell_answered(daemon, "blue")
        await me.hides("The model asks")
        assert "another client" not in me.text()


# --- calls of programs ------------------------------------------------------------------------


async def test_calls_that_wait_for_a_program_are_shown_and_take_no_words(tmp_path: Path) -> None:
    async with client(
        tmp_path, daemon=asks(DEPLOY, replace(DEPLOY, call_id="c4")), chat_id="a"
    ) as me:
        await me.shows("Waits for 2 programs", 'deploy  {"to":"stage"}', "until 10:47:00")
        await me.shows("waiting for a program to run deploy")
        await me.press("h", "i", "enter")
        await me.until(lambda: me.daemon.sent)
        assert me.daemon.asked == []


async def test_a_question_beside_other_calls_says_how_many(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=asks(DEPLOY, ASKED), chat_id="a") as me:
        await me.shows("The model asks · 1 more call waits", "Which colour?")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (40, 12)])
async def test_all_options_can_be_reached_in_a_small_window(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    options = [f"option number {n}" for n in range(1, 10)]
    many = replace(ASKED, question="word " * 100, options=options)
    async with client(tmp_path, daemon=asks(many), chat_id="a", size=size) as me:
        await me.shows("The model asks")
        await may_be_answered(me)
        for option in options:
            await me.shows(option)
            await me.press("down")
        await me.press("enter")
        await me.until(lambda: me.daemon.asked)
        assert me.daemon.asked == [("answer", "c1", options[-1], 4)]


# --- the pure part ----------------------------------------------------------------------------


def test_only_a_chat_that_waits_has_a_question() -> None:
    view = ChatView(status="requires_action", asked=(DEPLOY, ASKED))
    assert question(view) == ASKED
    assert other_calls(view) == (DEPLOY,)
    assert question(replace(view, status="running")) is None
    assert other_calls(replace(view, status="running")) == ()


def test_a_cancelled_question_was_not_answered() -> None:
    before = ChatView(status="requires_action", asked=(ASKED,))
    stopped = ChatView(messages=(result_of("c1", "cancelled", is_error=True),))
    assert answered_elsewhere(before, stopped) is None
    assert answered_elsewhere(before, before) is None
    assert answered_elsewhere(before, ChatView(messages=(result_of("c1", "red"),))) == ("c1", "red")
