"""Calls that only a client can answer: answered once, in time; a late answer loses."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from palaver.client import Client, Refused
from palaver.wire.actions import Answered, Answers, CallAnswer, EditMessage, LostAnswer
from palaver.wire.chats import CreateChat, Interrupt, SendMessage
from palaver.wire.messages import ToolCall, ToolResult
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.calls import CANCELLED, WantedCall
from palaverd.store.history import NewMessage
from palaverd.store.retention import purge_deleted
from palaverd.store.transitions.required_action import require_action
from palaverd.store.transitions.turn import commit_response
from support.chats import assert_well, plant_calls
from support.daemon import running_pair
from support.store import dump

TURN = 3  # of a chat written by the test


@pytest.fixture
async def asked() -> AsyncIterator[tuple[Daemon, Client]]:
    """A chat that waits for the results of two calls, and that no worker holds."""
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        await daemon.database.write(lambda c: plant_calls(c, "a", {"one": None, "two": None}))
        yield daemon, client


async def give(client: Client, *calls: str, turn: int = TURN, key: str | None = None) -> Answered:
    answers = Answers(turn, [CallAnswer(call, text=f"result of {call}") for call in calls])
    return await client.answer_calls("a", answers, key=key)


async def test_a_chat_that_the_worker_made_wait_runs_again_when_its_last_call_is_answered() -> None:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="ask me"))
        call = ToolCall(id="c1", name="ask", arguments="{}")

        def ask(chat):  # type: ignore[no-untyped-def]
            commit_response(chat, NewMessage(role="assistant", parts=[call]))
            require_action(chat, [WantedCall("c1", "approval", None)])

        asking = await daemon.door.apply(sent.chat.id, ask)
        assert asking.row.status == "requires_action"
        history = asking.row.history_version
        answered = await client.answer_calls(
            sent.chat.id, Answers(asking.row.turn_version, [CallAnswer("c1", approved=True)])
        )
        assert (answered.chat.status, answered.open_calls) == ("pending", [])
        # The call was approved and nothing was written, yet new work begins.
        assert answered.chat.versions.history > history
        await assert_well(daemon, sent.chat.id)


async def test_results_are_committed_together_in_call_order(asked: tuple[Daemon, Client]) -> None:
    daemon, client = asked
    first = await give(client, "two")
    assert (first.chat.status, first.open_calls, first.lost) == ("requires_action", ["one"], [])
    second = await give(client, "one")
    assert (second.chat.status, second.open_calls) == ("pending", [])
    newest = (await client.messages("a")).messages[0]
    assert newest.parts == [
        ToolResult(call_id="one", text="result of one"),
        ToolResult(call_id="two", text="result of two"),
    ]
    await assert_well(daemon, "a")


async def test_an_answer_that_is_repeated_with_its_key_counts_once(
    asked: tuple[Daemon, Client],
) -> None:
    daemon, client = asked
    first = await give(client, "one", key="k")
    before = await daemon.database.read(dump)
    again = await give(client, "one", key="k")
    assert (again.repeated, again.open_calls, again.lost) == (True, first.open_calls, [])
    assert await daemon.database.read(dump) == before


async def test_an_answer_is_repeated_also_when_its_call_is_gone(
    asked: tuple[Daemon, Client],
) -> None:
    daemon, client = asked
    await give(client, "one", key="k")
    await give(client, "two", key="l")
    page = await client.messages("a")
    chat = await client.chat("a")
    first = min(message.id for message in page.messages if message.role == "user")
    await client.edit_message("a", first, EditMessage("anew", chat.versions.history))
    while await daemon.database.write(lambda c: purge_deleted(c, 2**62, 200)):
        pass
    again = await give(client, "one", key="k")
    assert (again.repeated, again.open_calls, again.lost) == (True, [], [])


async def test_two_answers_to_one_call_in_one_request_are_one_answer_and_a_lost_one(
    asked: tuple[Daemon, Client],
) -> None:
    _, client = asked
    answers = [CallAnswer("one", text="first"), CallAnswer("one", text="second")]
    answered = await client.answer_calls("a", Answers(TURN, answers))
    assert answered.lost == [LostAnswer("one", LOCAL_OWNER)]
    await give(client, "two")
    results = (await client.messages("a")).messages[0].parts
    assert [p.text for p in results if isinstance(p, ToolResult)] == ["first", "result of two"]


async def test_a_late_answer_is_told_who_won_in_every_status(asked: tuple[Daemon, Client]) -> None:
    daemon, client = asked
    won = [LostAnswer("one", LOCAL_OWNER)]

    async def late() -> Answered:
        before = await daemon.database.read(dump)
        answered = await give(client, "one")
        assert await daemon.database.read(dump) == before
        return answered

    await give(client, "one")
    assert (await late()).lost == won  # requires_action
    await give(client, "two")
    assert (await late()).lost == won  # running
    await client.interrupt("a", Interrupt(turn_version=TURN))
    assert (await late()).lost == won  # interrupting
    chat = await client.chat("a")
    user = (await client.messages("a")).messages[-1].id
    await client.edit_message("a", user, EditMessage("anew", chat.versions.history))
    assert (await late()).lost == won  # a later turn, of a rewritten history


async def test_an_answer_to_a_call_that_was_cancelled_meanwhile_is_told_so(
    asked: tuple[Daemon, Client],
) -> None:
    daemon, client = asked
    await client.send("a", SendMessage(content="never mind", when_busy="interrupt"))
    answered = await give(client, "one", "two")
    assert answered.lost == [LostAnswer("one", CANCELLED), LostAnswer("two", CANCELLED)]
    await assert_well(daemon, "a")


async def test_unknown_calls_and_turns_that_are_over_are_refused(
    asked: tuple[Daemon, Client],
) -> None:
    daemon, client = asked
    before = await daemon.database.read(dump)
    with pytest.raises(Refused) as unknown:
        await give(client, "one", "three")
    assert (unknown.value.problem.status, unknown.value.problem.code) == (404, "unknown_call")
    assert "three" in unknown.value.problem.detail
    with pytest.raises(Refused) as stale:
        await give(client, "one", turn=TURN - 1)
    assert (stale.value.problem.status, stale.value.problem.code) == (409, "stale_version")
    assert await daemon.database.read(dump) == before


@pytest.mark.parametrize(
    "answers",
    [[], [CallAnswer("one")], [CallAnswer("one", approved=True, text="both")]],
    ids=["none", "neither", "both"],
)
async def test_an_answer_that_says_nothing_or_two_things_is_refused(
    asked: tuple[Daemon, Client], answers: list[CallAnswer]
) -> None:
    _, client = asked
    with pytest.raises(Refused) as refused:
        await client.answer_calls("a", Answers(TURN, answers))
    assert (refused.value.problem.status, refused.value.problem.field) == (400, "answers")
