"""A step with tool calls: what the model is offered, what runs when, and what it gets back."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from sqlalchemy import Connection, insert, select

from palaver.client import Client, Endpoint
from palaver.wire.actions import Answers, CallAnswer
from palaver.wire.chats import ChosenWorkspace, CreateChat, Interrupt
from palaver.wire.messages import ToolCall, ToolResult
from palaverd.chatstate.states import State
from palaverd.chatstate.table import Transition
from palaverd.config.types import ProviderKind
from palaverd.crashpoints import When
from palaverd.simulator import Simulator
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.database import DatabaseError
from palaverd.store.tables import tool_runs
from palaverd.tools.tool import NotBegun, Outcome
from palaverd.worker.limits import ACQUIRE_INTERVAL_S
from support.clock import ManualClock, until
from support.daemon import make_daemon, running_pair, short_dir, simulator_config
from support.scene import Scene
from support.store import NOW, add_message, plant
from tools.acting import Stage
from tools.test_read_file import png

PACE = ACQUIRE_INTERVAL_S / 4


@asynccontextmanager
async def step(
    stage: Stage,
    calls: Sequence[str],
    journal: Sequence[tuple[int, str]] = (),
    config: Mapping[str, Any] | None = None,
    **columns: Any,
) -> AsyncIterator[Scene]:
    """Run a daemon that finds a chat with these open calls, each `tool name`.

    `journal` has the calls, by number, that are in it, with their states. `config` changes the
    configuration, `columns` the chat's row.
    """

    def begun(connection: Connection) -> None:
        row = plant(connection, State.R0, owner=LOCAL_OWNER, mode="full-auto", **columns)
        parts = []
        for number, call in enumerate(calls):
            tool, _, name = call.partition(" ")
            parts.append(ToolCall(f"c{number}", tool, f'{{"name":"{name}"}}'))
        add_message(connection, row, "assistant", parts)
        for at, state in journal:
            values = {"call_id": f"c{at}", "state": state, "trace": "as it was"}
            connection.execute(insert(tool_runs).values(chat_id="c", requested_at=NOW, **values))

    clock = ManualClock()
    async with short_dir() as data_dir, Simulator(rate=0) as simulator:
        chosen = simulator_config(simulator.url, **(config or {}))
        daemon = make_daemon(data_dir, chosen, clock, tools=stage.tools)
        await daemon.start()
        try:
            await daemon.database.write(begun)
            async with Client(Endpoint(socket=daemon.socket)) as client:
                yield Scene(daemon, client, simulator, clock, "c")
        finally:
            stage.release.set()
            await daemon.stop()


async def results(s: Scene) -> list[tuple[str, str, bool]]:
    page = await s.client.messages(s.chat_id)
    return [
        (part.call_id, part.text, part.is_error)
        for message in reversed(page.messages)
        for part in message.parts
        if isinstance(part, ToolResult)
    ]


async def states(s: Scene) -> dict[str, str]:
    def read(connection: Connection) -> dict[str, str]:
        found = connection.execute(select(tool_runs.c.call_id, tool_runs.c.state))
        return {one.call_id: one.state for one in found}

    return await s.daemon.database.read(read)


@pytest.mark.parametrize("kind", get_args(ProviderKind))
async def test_a_model_reads_a_file_of_the_workspace(kind: ProviderKind, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    clock = ManualClock()
    async with running_pair(clock=clock, kind=kind) as (daemon, client, simulator):
        sent = await client.create_chat(
            CreateChat(
                content='[[tool=read_file args={"path":"a.txt"}]] read',
                workspace=ChosenWorkspace(path=str(tmp_path)),
            )
        )
        s = Scene(daemon, client, simulator, clock, sent.chat.id)
        await s.reaches("waiting")
        [(_, text, is_error)] = await results(s)
        assert (text, is_error) == ("1\tone\n2\ttwo", False)
        assert len(simulator.requests) == 2


async def test_a_picture_reaches_a_model_that_sees(tmp_path: Path) -> None:
    data = png(3, 2)
    (tmp_path / "a.png").write_bytes(data)
    async with running_pair(clock=ManualClock()) as (daemon, client, simulator):
        sent = await client.create_chat(
            CreateChat(
                content='[[tool=read_file args={"path":"a.png"}]] look',
                workspace=ChosenWorkspace(path=str(tmp_path)),
            )
        )
        s = Scene(daemon, client, simulator, ManualClock(), sent.chat.id)
        await s.reaches("waiting")
        body = simulator.requests[-1].body
        assert base64.b64encode(data).decode() in msgspec.json.encode(body).decode()


async def test_calls_that_look_run_together_and_results_are_in_call_order() -> None:
    stage = Stage()
    stage.held = {"slow"}
    async with step(stage, ["look slow", "look quick", "act last"]) as s:
        await s.reaches("running", pace=PACE)
        await until(lambda: "look quick ended" in stage.said)
        assert "act last began" not in stage.said
        stage.release.set()
        await s.reaches("waiting", pace=PACE)
        assert stage.said[-1] == "act last ended"
        assert [text for _, text, _ in await results(s)] == ["look slow", "look quick", "act last"]
        assert await states(s) == {"c2": "finished"}


async def test_calls_with_effects_run_one_after_another() -> None:
    stage = Stage()
    async with step(stage, ["act one", "act two"]) as s:
        await s.reaches("waiting", pace=PACE)
        assert stage.said == ["act one began", "act one ended", "act two began", "act two ended"]


async def test_a_refused_and_a_broken_call_are_results_and_the_others_run() -> None:
    stage = Stage()
    async with step(stage, ["act refused", "look broken", "nothing", "act fine"]) as s:
        await s.reaches("waiting", pace=PACE)
        found = await results(s)
        assert [is_error for _, _, is_error in found] == [True, True, True, False]
        assert found[0][1] == "This is refused."
        assert found[1][1].startswith("This call failed because of a mistake in Palaver.")
        assert found[2][1] == "There is no tool nothing. The tools of this chat: act, look, ask."


async def test_a_call_that_began_before_is_looked_for_and_not_run_again() -> None:
    stage = Stage()
    async with step(stage, ["act one", "act two"], [(0, "started")]) as s:
        await s.reaches("waiting", pace=PACE)
        assert stage.said == ["find one by as it was", "act two began", "act two ended"]
        assert (await results(s))[0] == ("c0", "Nobody knows.", True)
        assert await states(s) == {"c0": "unknown", "c1": "finished"}


async def test_the_outcome_that_is_found_is_the_result() -> None:
    stage = Stage(lambda _: Outcome("It was done."))
    async with step(stage, ["act one"], [(0, "started")]) as s:
        await s.reaches("waiting", pace=PACE)
        assert await results(s) == [("c0", "It was done.", False)]
        assert await states(s) == {"c0": "finished"}


async def test_a_call_that_surely_did_not_begin_runs() -> None:
    stage = Stage(lambda _: NotBegun())
    async with step(stage, ["act one"], [(0, "started")]) as s:
        await s.reaches("waiting", pace=PACE)
        assert stage.said == ["find one by as it was", "act one began", "act one ended"]


async def test_a_stop_keeps_what_finished_and_says_what_it_cut_off() -> None:
    stage = Stage()
    stage.held = {"slow"}
    async with step(stage, ["look quick", "act one", "act slow", "act never"]) as s:
        await s.reaches("running", pace=PACE)
        await until(lambda: "act slow began" in stage.said)
        turn = (await s.row()).turn_version
        await s.client.interrupt("c", Interrupt(turn_version=turn))
        await s.reaches("waiting", pace=PACE)
        assert [(text, error) for _, text, error in await results(s)] == [
            ("look quick", False),
            ("act one", False),
            (
                "The user cancelled this call. Its output until then:\nacting on slow",
                True,
            ),
            ("The user cancelled this call.", True),
        ]
        assert "act slow ended" not in stage.said


async def test_what_finished_before_a_commit_that_failed_is_not_looked_for_or_run_again() -> None:
    stage = Stage()
    failures = [DatabaseError("The disk is full.")]

    def fail_once(when: When, transitions: Sequence[str]) -> None:
        if when == "before" and Transition.COMMIT_RESULTS in transitions and failures:
            raise failures.pop()

    async with step(stage, ["look one", "act two"]) as s:
        s.daemon.door._reached = fail_once
        await s.reaches("waiting", pace=PACE)
        assert not failures
        assert [said for said in stage.said if "began" in said] == [
            "look one began",
            "act two began",
        ]
        assert not [said for said in stage.said if said.startswith("find")]
        assert [text for _, text, _ in await results(s)] == ["look one", "act two"]
        await until(lambda: s.daemon.worker.running == 0)
        assert not s.daemon.worker._env.finished._of_chat


async def test_a_question_waits_for_a_client_and_then_the_turn_goes_on() -> None:
    stage = Stage()
    async with step(stage, ["ask one"]) as s:
        row = await s.reaches("requires_action", pace=PACE)
        given = Answers(row.turn_version, [CallAnswer("c0", text="blue")])
        await s.client.answer_calls("c", given)
        await s.reaches("waiting", pace=PACE)
        assert await results(s) == [("c0", "blue", False)]
        assert await states(s) == {"c0": "finished"}
