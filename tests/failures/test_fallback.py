"""Fallback models: which one is asked, what clients see, what is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from failures.leases import LONG_LEASES
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.messages import Text
from palaverd.config.types import ModelConfig
from palaverd.daemon import Daemon
from palaverd.failures.fallback import PASSED_ON, Tried, whose_turn
from palaverd.simulator import Simulator
from support.chats import reaches
from support.clock import ManualClock, until
from support.daemon import running_daemon, running_pair, short_dir, simulator_config
from support.scene import Scene

FALLBACK = ("b", "c")
OVERLOADS = [Tried("a", "overloaded")] * 3


@pytest.mark.parametrize(
    ("tried", "turn"),
    [
        ([], "a"),
        (OVERLOADS[:2], "a"),
        (OVERLOADS, "b"),
        ([Tried("a", kind) for kind in ("overloaded", "rate_limit", "server_error")], "b"),
        ([Tried("a", kind) for kind in ("overloaded", "timeout", "overloaded")], "a"),
        ([Tried("a", "silence_timeout")] * 9, "a"),
        ([Tried("x", "overloaded")] * 3, "a"),
        ([*OVERLOADS, Tried("b", "overloaded")], "c"),
        ([*OVERLOADS, Tried("b", "auth")], "c"),
        ([*OVERLOADS, Tried("b", None)], "c"),
        ([*OVERLOADS, Tried("b", "timeout"), Tried("c", "overloaded")], "a"),
        ([*OVERLOADS, Tried("b", "x"), Tried("c", "x"), *OVERLOADS], "a"),
    ],
)
def test_each_stands_in_once_after_three_failures(tried: list[Tried], turn: str) -> None:
    assert whose_turn("a", FALLBACK, tried) == turn
    assert whose_turn("a", (), tried) == "a"


def models(**sonnet: object) -> dict[str, ModelConfig]:
    config = simulator_config("")
    return {
        "sonnet": msgspec.structs.replace(config.models["sonnet"], **sonnet),
        "small": config.models["small"],
        "tiny": ModelConfig(provider="anthropic", model="sim-tiny"),
        "gone": ModelConfig(provider="anthropic", model="no-such-model"),
    }


@asynccontextmanager
async def chat(first: str, **sonnet: object) -> AsyncIterator[Scene]:
    clock = ManualClock()
    async with running_pair(clock=clock, models=models(**sonnet), worker=LONG_LEASES) as (
        daemon,
        client,
        simulator,
    ):
        sent = await client.create_chat(CreateChat(content=first))
        yield Scene(daemon, client, simulator, clock, sent.chat.id)


async def waits(s: Scene, asked: int) -> tuple[str, int]:
    """Wait for the announcement after that many requests; return it, and the seconds."""
    await until(lambda: len(s.simulator.requests) == asked)
    row = await s.reaches("running", retry=True)
    while row.retry is None or row.retry.attempt != asked:
        row = await s.reaches("running", retry=True)
    return row.retry.error.message, row.retry.delay_ms // 1000


async def go_on(s: Scene) -> None:
    row = await s.row()
    assert row.retry is not None
    delay = row.retry.delay_ms / 1000
    await until(lambda: any(abs(wait - delay) < 1e-6 for wait in s.clock.waits()))
    s.clock.advance(delay + 1e-6)


def asked(s: Scene) -> list[str]:
    return [request.body["model"] for request in s.simulator.requests]


async def test_after_three_overloads_another_model_answers_and_it_is_told() -> None:
    told = "[[529 times=9 model=sim-large]] [[echo]] hello"
    async with chat(told, fallback=["small"]) as s:
        said = []
        for attempt in (1, 2, 3):
            said.append(await waits(s, attempt))
            await go_on(s)
        await s.reaches("waiting")
        assert said == [
            ("Anthropic is overloaded.", 1),
            ("Anthropic is overloaded.", 2),
            # Another model does not share the load of the first: no wait of 4 s for it.
            ("Anthropic is overloaded. Asking small instead.", 1),
        ]
        assert asked(s) == ["sim-large"] * 3 + ["sim-small"]
        page = await s.client.messages(s.chat_id)
        answer, notice, _ = page.messages
        assert (answer.model, answer.parts) == ("small", [Text("hello")])
        assert (notice.role, notice.visibility) == ("system", "user")
        assert notice.parts == [Text("sonnet was not available; small answers.")]


NEXT = ("small", "tiny", "sonnet")


async def test_a_model_that_stands_in_is_asked_once_and_decides_nothing() -> None:
    async with chat("[[529 times=99]] hello", fallback=["small", "tiny"], max_attempts=7) as s:
        said = []
        for attempt in range(1, 7):
            said.append((await waits(s, attempt))[0].removeprefix("Anthropic is overloaded."))
            await go_on(s)
        row = await s.reaches("error")
        assert asked(s) == ["sim-large"] * 3 + ["sim-small", "sim-tiny"] + ["sim-large"] * 2
        assert said == ["", "", *(f" Asking {name} instead." for name in NEXT), ""]
        assert row.last_error is not None
        assert (row.last_error.kind, row.last_error.model) == ("overloaded", "sonnet")


async def test_a_lasting_failure_of_who_stands_in_is_not_the_turns_end() -> None:
    told = "[[529 times=4 model=sim-large]] [[echo]] hello"
    async with chat(told, fallback=["gone"]) as s:
        for attempt in (1, 2, 3, 4, 5):
            await waits(s, attempt)
            await go_on(s)
        await s.reaches("waiting")
        assert asked(s) == ["sim-large"] * 3 + ["no-such-model"] + ["sim-large"] * 2


async def test_without_a_fallback_nobody_stands_in() -> None:
    async with chat("[[529 times=5 model=sim-large]] [[echo]] hello") as s:
        for attempt in range(1, 6):
            await waits(s, attempt)
            await go_on(s)
        await s.reaches("waiting")
        assert asked(s) == ["sim-large"] * 6


async def test_who_was_asked_is_remembered_across_a_restart() -> None:
    clock = ManualClock()
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        config = simulator_config(simulator.url, models=models(fallback=["small", "tiny"]))
        async with running_daemon(folder, config, clock) as daemon, _client(daemon) as client:
            sent = await client.create_chat(CreateChat(content="[[529 times=99]] hello"))
            s = Scene(daemon, client, simulator, clock, sent.chat.id)
            for attempt in range(1, 5):
                await waits(s, attempt)
                if attempt < 4:
                    await go_on(s)
        async with running_daemon(folder, config, clock) as daemon, _client(daemon) as client:
            s = Scene(daemon, client, simulator, clock, s.chat_id)
            await go_on(s)
            await waits(s, 5)
            assert asked(s) == ["sim-large"] * 3 + ["sim-small", "sim-tiny"]


async def test_a_model_that_is_gone_is_told_once_and_the_default_answers() -> None:
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        config = simulator_config(simulator.url)
        async with running_daemon(folder, config) as daemon, _client(daemon) as client:
            sent = await client.create_chat(CreateChat(content="[[echo]] one", model="small"))
            await reaches(client, sent.chat.id, "waiting")
        only = msgspec.structs.replace(config, models={"sonnet": config.models["sonnet"]})
        async with running_daemon(folder, only) as daemon, _client(daemon) as client:
            for number in ("two", "three"):
                await client.send(sent.chat.id, SendMessage(content=f"[[echo]] {number}"))
                await reaches(client, sent.chat.id, "waiting")
            page = await client.messages(sent.chat.id)
            told = [(m.role, m.model, _text(m.parts[0])) for m in reversed(page.messages)]
    assert told == [
        ("user", None, "[[echo]] one"),
        ("assistant", "small", "one"),
        ("user", None, "[[echo]] two"),
        ("system", None, "The model small is no longer configured; sonnet answers."),
        ("assistant", "sonnet", "two"),
        ("user", None, "[[echo]] three"),
        ("assistant", "sonnet", "three"),
    ]
    # It is for users: no model got it.
    assert "no longer configured" not in str([r.body for r in simulator.requests])


def _text(part: object) -> str:
    assert isinstance(part, Text)
    return part.text


def _client(daemon: Daemon) -> Client:
    return Client(Endpoint(socket=daemon.socket))


def test_only_what_another_model_may_not_have_is_passed_on() -> None:
    assert {"overloaded", "rate_limit", "server_error"} == PASSED_ON
