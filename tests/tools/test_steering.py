"""Messages that steer a turn: the model gets them after the results of the step that runs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import get_args

import pytest
from sqlalchemy import Connection, update

from palaver.wire.actions import Answers, CallAnswer, EditMessage
from palaver.wire.chats import Interrupt, SendMessage, Sent
from palaverd.config.types import GenerationConfig, ProviderKind
from palaverd.store.sync import load_queue
from palaverd.store.tables import messages
from support.clock import until
from support.scene import Scene
from tools.acting import Stage
from tools.test_step import PACE, step


async def steer(s: Scene, text: str) -> Sent:
    turn = (await s.row()).turn_version
    return await s.client.send("c", SendMessage(text, when_busy="steer", turn_version=turn))


async def history(s: Scene) -> list[str]:
    """Return the chat's messages, oldest first: a user's text, the role of others."""
    page = await s.client.messages("c")
    texts = await s.texts()
    roles = [message.role for message in reversed(page.messages)]
    return [text if role == "user" else role for role, text in zip(roles, texts, strict=True)]


@asynccontextmanager
async def acting(stage: Stage, *calls: str, **how: object) -> AsyncIterator[Scene]:
    """Run a chat whose calls are waiting for `stage.release`."""
    stage.held.add("slow")
    async with step(stage, calls or ["act slow"], **how) as s:  # type: ignore[arg-type]
        await s.reaches("running", pace=PACE)
        await until(lambda: any(said.endswith("slow began") for said in stage.said))
        yield s


@pytest.mark.parametrize("kind", get_args(ProviderKind))
async def test_the_model_gets_it_after_the_results_of_the_step_that_ran(
    kind: ProviderKind,
) -> None:
    stage = Stage()
    async with acting(stage, "look slow", "act two", config={"kind": kind}) as s:
        sent = await steer(s, "[[echo]] in blue")
        assert sent.message is None
        assert sent.queued is not None
        assert sent.queued.steer_turn == sent.chat.versions.turn
        assert s.simulator.requests == []
        stage.release.set()
        await s.reaches("waiting", pace=PACE)
        assert await history(s) == ["first", "assistant", "tool", "[[echo]] in blue", "assistant"]
        assert (await s.texts())[-1] == "in blue"
        # One request, which a provider accepts: the simulator refuses calls without results.
        [request] = s.simulator.requests
        body = json.dumps(request.body)
        assert body.index("act two") < body.index("in blue")


async def test_the_turn_goes_on_with_the_model_that_it_began_with() -> None:
    stage = Stage()
    async with acting(stage) as s:
        chosen = update(messages).where(messages.c.role == "user").values(model="small")
        await s.daemon.database.write(lambda c: c.execute(chosen) and None)
        turn = (await s.row()).turn_version
        await steer(s, "in blue")
        await steer(s, "or green")
        stage.release.set()
        row = await s.reaches("waiting", pace=PACE)
        assert row.turn_version == turn
        assert [request.body["model"] for request in s.simulator.requests] == ["sim-small"]


async def test_a_held_queue_stays_and_what_steers_leaves_it() -> None:
    stage = Stage()
    async with acting(stage) as s:
        await s.send("later")
        await s.client.hold_queue("c")
        await steer(s, "one")
        await steer(s, "two")
        assert await s.daemon.database.read(queued) == ["one", "two", "later"]
        stage.release.set()
        row = await s.reaches("waiting", pace=PACE, queue_held=True)
        assert row.queue_length == 1
        assert (await history(s))[2:] == ["tool", "one", "two", "assistant"]


def queued(connection: Connection) -> list[str]:
    return [one.content for one in load_queue(connection, "c")]


async def test_it_follows_the_answer_that_a_client_gives() -> None:
    async with step(Stage(), ["ask one"]) as s:
        row = await s.reaches("requires_action", pace=PACE)
        await steer(s, "in blue")
        given = Answers(row.turn_version, [CallAnswer("c0", text="blue")])
        await s.client.answer_calls("c", given)
        await s.reaches("waiting", pace=PACE)
        assert (await history(s))[1:] == ["assistant", "tool", "in blue", "assistant"]


async def test_a_stop_before_the_results_makes_it_the_next_message() -> None:
    stage = Stage()
    async with acting(stage) as s:
        await s.send("later")
        await steer(s, "in blue")
        turn = (await s.row()).turn_version
        await s.client.interrupt("c", Interrupt(turn_version=turn, hold_queue=True))
        await s.reaches("waiting", pace=PACE, queue_held=True)
        assert await history(s) == ["first", "assistant", "tool"]
        await s.client.release_queue("c")
        await s.reaches("waiting", pace=PACE)
        told = [text for text in await history(s) if text not in ("assistant", "tool")]
        assert told == ["first", "in blue", "later"]


async def test_an_edit_before_the_results_gives_it_back() -> None:
    stage = Stage()
    async with acting(stage) as s:
        await steer(s, "in blue")
        row = await s.row()
        first = (await s.client.messages("c")).messages[-1].id
        edited = await s.client.edit_message("c", first, EditMessage("again", row.history_version))
        assert [one.content for one in edited.dropped_queue] == ["in blue"]
        await s.reaches("waiting", pace=PACE)
        assert await history(s) == ["again", "assistant"]


async def test_it_does_not_restart_the_count_of_steps() -> None:
    stage = Stage()
    bound = {"generation": GenerationConfig(max_steps=3)}
    async with acting(stage, config=bound, turn_steps=2) as s:
        await steer(s, "[[tool=look]] more")  # the third response, again with a call
        stage.release.set()
        row = await s.reaches("error", pace=PACE)
        assert row.last_error is not None
        assert row.last_error.message.startswith("The model was called 3 times")
        assert row.turn_steps == 3
        await s.send("go on")
        assert (await s.reaches("waiting", pace=PACE)).turn_steps == 1
