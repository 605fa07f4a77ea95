"""Questions and client tools: what a client is shown, who answers, and what the model gets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from palaver.client import Client, Endpoint, Refused
from palaver.wire.actions import Answered, Answers, CallAnswer, EditMessage, LostAnswer
from palaver.wire.chats import ClientTool, CreateChat, Interrupt, SendMessage
from palaver.wire.events import ActionRequired, CaughtUp, ChatUpdated, ListSnapshot, StreamEvent
from palaver.wire.messages import ToolCall, ToolResult
from palaver.wire.questions import Asks, OpenCall, in_short, question_of
from palaverd.config.types import WorkerConfig
from palaverd.simulator import Simulator
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.calls import CANCELLED
from palaverd.store.transitions.required_action import TOO_LATE
from palaverd.tools.toolbox import CLIENT_TOOL_S
from support.chats import events_until
from support.clock import ManualClock, until
from support.daemon import make_daemon, running_pair, short_dir, simulator_config
from support.scene import Scene

DAY_S = 24 * 3600
# A clock that jumps must not look like a worker that missed its lease's renewal.
PATIENT = WorkerConfig(lease_seconds=2 * DAY_S)
COLOURS = ["the blue one", "red"]
DEPLOY = ClientTool("deploy", "Deploys.", {"type": "object", "properties": {}})


def asking(question: str = "Which colour?", options: Sequence[str] = COLOURS) -> str:
    """Return a message that has the simulator ask a question."""
    arguments = json.dumps({"question": question, "options": options}, separators=(",", ":"))
    return f"[[tool=ask_user args={escaped(arguments)}]] paint it"


def escaped(arguments: str) -> str:
    """Return JSON without blanks and brackets outside of its syntax: a directive ends at them."""
    return arguments.replace(" ", "\\u0020")


@asynccontextmanager
async def asked(content: str, **chat: object) -> AsyncIterator[Scene]:
    """Run a chat until it asks."""
    clock = ManualClock()
    async with running_pair(clock=clock, worker=PATIENT) as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content=content, **chat))  # type: ignore[arg-type]
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await s.reaches("requires_action")
        yield s


async def open_calls(client: Client, chat_id: str) -> list[OpenCall]:
    """Return what a client that attaches now is shown."""

    def told(events: list[StreamEvent]) -> bool:
        return any(isinstance(event, CaughtUp) for event in events)

    events = await events_until(client, chat_id, told)
    [action] = [event for event in events if isinstance(event, ActionRequired)]
    assert action.call_ids == [call.call_id for call in action.calls]
    return action.calls


async def answer(s: Scene, call: OpenCall, text: str) -> Answered:
    turn = (await s.client.chat(s.chat_id)).versions.turn
    return await s.client.answer_calls(
        s.chat_id, Answers(turn, [CallAnswer(call.call_id, text=text)])
    )


async def results(s: Scene) -> list[tuple[str, bool]]:
    page = await s.client.messages(s.chat_id)
    return [
        (part.text, part.is_error)
        for message in reversed(page.messages)
        for part in message.parts
        if isinstance(part, ToolResult)
    ]


# --- questions --------------------------------------------------------------------------------


async def test_a_question_is_shown_and_its_answer_goes_to_the_model() -> None:
    async with asked(asking()) as s:
        [call] = await open_calls(s.client, s.chat_id)
        assert (call.tool, call.question, call.options) == ("ask_user", "Which colour?", COLOURS)
        assert (call.needs, call.deadline) == ("result", None)
        assert json.loads(call.arguments) == {"question": "Which colour?", "options": COLOURS}
        answered = await answer(s, call, "green, please")
        assert (answered.open_calls, answered.lost) == ([], [])
        await s.reaches("waiting")
        assert await results(s) == [("green, please", False)]
        assert "green, please" in json.dumps(s.simulator.requests[-1].body)


async def test_the_list_says_what_a_chat_asks_until_it_is_answered() -> None:
    async with asked(asking("Which\n\ncolour?")) as s:
        chat = await s.client.chat(s.chat_id)
        assert chat.asks == Asks(1, "ask_user", "Which colour?")
        assert chat.unread
        seen: list[Asks | None] = []
        [call] = await open_calls(s.client, s.chat_id)
        async for events in s.client.watch():
            for event in events:
                if isinstance(event, ListSnapshot):
                    assert [one.asks for one in event.chats] == [chat.asks]
                    await answer(s, call, "red")
                elif isinstance(event, ChatUpdated):
                    seen.append(event.chat.asks)
            s.clock.advance(1.0)
            if seen:
                break
        assert seen[-1] is None


async def test_a_question_waits_for_a_day_and_longer() -> None:
    async with asked(asking()) as s:
        await until(lambda: s.daemon.worker.running == 1)
        for _ in range(8):
            s.clock.advance(DAY_S / 4)
        row = await s.row()
        assert row.status == "requires_action"
        [call] = await open_calls(s.client, s.chat_id)
        await answer(s, call, "red")
        await s.reaches("waiting", pace=0.25)
        assert await results(s) == [("red", False)]


async def test_who_answers_second_changes_nothing_and_is_told() -> None:
    async with asked(asking()) as s:
        [call] = await open_calls(s.client, s.chat_id)
        await answer(s, call, "red")
        late = await answer(s, call, "blue")
        assert late.lost == [LostAnswer(call.call_id, LOCAL_OWNER)]
        await s.reaches("waiting")
        assert await results(s) == [("red", False)]


async def test_a_question_survives_a_restart_of_the_daemon() -> None:
    async with short_dir() as data_dir, Simulator(rate=0) as simulator:
        config = simulator_config(simulator.url)
        first = make_daemon(data_dir, config)
        await first.start()
        async with Client(Endpoint(socket=first.socket)) as client:
            sent = await client.create_chat(CreateChat(content=asking()))
            await Scene(first, client, simulator, ManualClock(), sent.chat.id).reaches(
                "requires_action"
            )
            [before] = await open_calls(client, sent.chat.id)
        await first.stop()
        second = make_daemon(data_dir, config)
        await second.start()
        try:
            async with Client(Endpoint(socket=second.socket)) as client:
                s = Scene(second, client, simulator, ManualClock(), sent.chat.id)
                assert (await client.chat(s.chat_id)).asks == Asks(1, "ask_user", "Which colour?")
                assert await open_calls(client, s.chat_id) == [before]
                await answer(s, before, "red")
                await s.reaches("waiting")
                assert await results(s) == [("red", False)]
        finally:
            await second.stop()


# --- what ends a question without an answer ---------------------------------------------------


async def test_a_stop_ends_a_question_and_the_model_is_not_called() -> None:
    async with asked(asking()) as s:
        [call] = await open_calls(s.client, s.chat_id)
        called = len(s.simulator.requests)
        turn = (await s.row()).turn_version
        await s.client.interrupt(s.chat_id, Interrupt(turn_version=turn))
        await s.reaches("waiting")
        assert (await s.client.chat(s.chat_id)).asks is None
        assert await open_calls_after(s) == []
        assert await results(s) == [("The user cancelled this call.", True)]
        assert len(s.simulator.requests) == called
        assert (await answer(s, call, "red")).lost == [LostAnswer(call.call_id, CANCELLED)]


async def test_a_message_that_interrupts_is_answered_instead_of_the_question() -> None:
    async with asked(asking()) as s:
        turn = (await s.row()).turn_version
        request = SendMessage("never mind", when_busy="interrupt", turn_version=turn)
        await s.client.send(s.chat_id, request)
        await s.reaches("waiting")
        [(text, is_error)] = await results(s)
        assert is_error
        assert "cancelled" in text
        assert (await s.texts())[-2] == "never mind"
        assert (await s.client.chat(s.chat_id)).asks is None


async def test_a_message_for_the_queue_leaves_the_question_open() -> None:
    async with asked(asking()) as s:
        await s.send("and then this")
        assert (await s.row()).status == "requires_action"
        [call] = await open_calls(s.client, s.chat_id)
        await answer(s, call, "red")
        await s.reaches("waiting", queue_length=False)
        assert await results(s) == [("red", False)]
        assert (await s.texts())[-2] == "and then this"


async def test_an_edit_drops_the_question() -> None:
    async with asked(asking()) as s:
        [call] = await open_calls(s.client, s.chat_id)
        chat = await s.client.chat(s.chat_id)
        first = (await s.client.messages(s.chat_id)).messages[-1]
        await s.client.edit_message(
            s.chat_id, first.id, EditMessage("paint nothing", chat.versions.history)
        )
        await s.reaches("waiting")
        assert await results(s) == []
        assert (await s.client.chat(s.chat_id)).asks is None
        assert (await answer(s, call, "red")).lost == [LostAnswer(call.call_id, CANCELLED)]


async def open_calls_after(s: Scene) -> list[OpenCall]:
    """Return what a client that was away since the beginning is told of open calls."""
    events = await events_until(
        s.client, s.chat_id, lambda all_: any(isinstance(one, CaughtUp) for one in all_)
    )
    return [call for one in events if isinstance(one, ActionRequired) for call in one.calls]


# --- tools of clients -------------------------------------------------------------------------


async def test_several_calls_are_shown_in_call_order_and_each_is_answered_once() -> None:
    content = "[[tool=deploy calls=2]] twice"
    async with asked(content, client_tools=[DEPLOY]) as s:
        calls = await open_calls(s.client, s.chat_id)
        page = await s.client.messages(s.chat_id)
        made = [p.id for m in page.messages for p in m.parts if isinstance(p, ToolCall)]
        assert [call.call_id for call in calls] == made
        assert [(call.tool, call.question) for call in calls] == [("deploy", None)] * 2
        assert (await s.client.chat(s.chat_id)).asks == Asks(2, "deploy")
        await answer(s, calls[1], "two")
        assert (await s.client.chat(s.chat_id)).asks == Asks(1, "deploy")
        assert await open_calls(s.client, s.chat_id) == [calls[0]]
        await answer(s, calls[0], "")
        await s.reaches("waiting")
        assert await results(s) == [("", False), ("two", False)]


async def test_a_clients_tool_has_a_deadline_and_the_model_is_told_when_it_passes() -> None:
    async with asked("[[tool=deploy]] now", client_tools=[DEPLOY]) as s:
        [call] = await open_calls(s.client, s.chat_id)
        assert call.deadline is not None
        left = (call.deadline - s.clock.now()).total_seconds()
        assert CLIENT_TOOL_S - 1 < left <= CLIENT_TOOL_S
        await until(lambda: any(abs(wait - left) < 1 for wait in s.clock.waits()))
        s.clock.advance(left)
        await s.reaches("waiting", pace=0.25)
        assert await results(s) == [(TOO_LATE, True)]
        assert (await s.client.chat(s.chat_id)).asks is None


async def test_a_call_that_waits_for_a_result_cannot_be_permitted() -> None:
    async with asked(asking()) as s:
        [call] = await open_calls(s.client, s.chat_id)
        turn = (await s.row()).turn_version
        permit = Answers(turn, [CallAnswer(call.call_id, approved=True)])
        with pytest.raises(Refused) as refused:
            await s.client.answer_calls(s.chat_id, permit)
        assert (refused.value.problem.status, refused.value.problem.field) == (400, "answers")
        assert (await s.row()).status == "requires_action"


async def test_a_question_beside_other_calls_is_refused_and_the_model_told_why(
    tmp_path: Path,
) -> None:
    async with running_pair() as (daemon, client, simulator):
        sent = await client.create_chat(
            CreateChat(content=asking().replace("args", "calls=2 args"))
        )
        s = Scene(daemon, client, simulator, ManualClock(), sent.chat.id)
        await s.reaches("waiting")
        alone = ("ask_user must be the only call of its step: call it again, alone.", True)
        assert await results(s) == [alone, alone]


# --- the summary ------------------------------------------------------------------------------


def test_the_summary_names_the_question_before_other_calls_and_is_one_short_line() -> None:
    deploy = OpenCall("c0", "deploy")
    long = OpenCall("c1", "ask_user", question="Which\n" + "word " * 100)
    summary = in_short([deploy, long])
    assert summary is not None
    assert (summary.calls, summary.tool) == (2, "ask_user")
    assert summary.question is not None
    assert summary.question.startswith("Which word word")
    assert len(summary.question) == 200
    assert "\n" not in summary.question
    assert in_short([deploy]) == Asks(1, "deploy")
    assert in_short([]) is None


@pytest.mark.parametrize(
    "arguments",
    ["", "[]", '{"question":"  "}', '{"question":"a","options":[1]}', '{"question":"a","more":1}'],
)
def test_what_is_no_question_is_shown_as_a_call(arguments: str) -> None:
    assert question_of("ask_user", arguments) is None
    assert question_of("deploy", '{"question":"a"}') is None
