"""Every fault at every position of a stream, in three protocols: its classification and storage.

A real daemon on a real socket, the real SDKs, and the simulator as the provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, select

from failures.leases import LONG_LEASES
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat
from palaver.wire.errors import FailureKind
from palaver.wire.messages import Part, Text, ToolCall
from palaverd.config.types import Config, ModelConfig, ProviderConfig
from palaverd.daemon import Daemon
from palaverd.failures.classify import RETRYABLE
from palaverd.providers.limits import DEFAULT_LIMITS
from palaverd.simulator import Simulator
from palaverd.simulator.faults import AT_HEAD, FAULTS
from palaverd.simulator.misbehaviour import MANNERS_STREAMED
from palaverd.simulator.positions import POSITIONS
from palaverd.store.codec import load_parts
from palaverd.store.sync import load_chat
from palaverd.store.tables import attempts, messages, tool_runs
from support.clock import PATIENCE_S, ManualClock
from support.daemon import running_daemon, short_dir

STARTUP_S, SILENCE_S, PINGS_S = 60.0, 120.0, 600.0
ARGUMENTS = '{"path":"notes.md","text":"0123456789abcdefghijklmnopqrstuvwxyz"}'
WORDS = "one two three four five six seven eight"
MODELS = ("sonnet", "gpt", "llama")

# head: before the response's head; start: before the first event; text: in the middle of a
# sentence; tool: in the middle of a call's arguments; end: after the last token; terminal:
# after the terminal event, where nothing can fail.
TABLE: dict[str, dict[str, FailureKind | None]] = {
    "error": {
        "start": "overloaded",
        "text": "overloaded",
        "tool": "overloaded",
        "end": "overloaded",
        "terminal": None,
    },
    "close": {
        "start": "timeout",
        "text": "timeout",
        "tool": "timeout",
        "end": "timeout",
        "terminal": None,
    },
    "cut": {
        "head": "timeout",
        "start": "timeout",
        "text": "timeout",
        "tool": "timeout",
        "end": "timeout",
        "terminal": None,
    },
    # A reset discards what was sent and not read, so that one after the terminal event is the same
    # as one before it, or as none.
    "reset": {
        "head": "timeout",
        "start": "timeout",
        "text": "timeout",
        "tool": "timeout",
        "end": "timeout",
    },
    "silence": {
        "head": "startup_timeout",
        "start": "startup_timeout",
        "text": "silence_timeout",
        "tool": "silence_timeout",
        "end": "silence_timeout",
        "terminal": None,
    },
    "pings": {
        "start": "startup_timeout",
        "text": "silence_timeout",
        "tool": "silence_timeout",
        "end": "silence_timeout",
        "terminal": None,
    },
    "garbage": {
        "start": "server_error",
        "text": "server_error",
        "tool": "server_error",
        "end": "server_error",
        "terminal": None,
    },
    "bad-utf8": {
        "start": "server_error",
        "text": "server_error",
        "tool": "server_error",
        "end": "server_error",
        "terminal": None,
    },
    "endless-event": {
        "start": "generic",
        "text": "generic",
        "tool": "generic",
        "end": "generic",
        "terminal": None,
    },
    "flood": {"text": "generic", "terminal": None},
}
# These have their own position, or none: tests/providers/test_faults.py tests them.
PLACELESS = {"no-terminal", "stay-open", "split", "duplicate"}


def _expected(fault: str, model: str, at: str) -> FailureKind | None:
    word_came = at == "end" and model != "gpt" and fault != "error"
    return None if word_came else TABLE[fault][at]


def test_no_cell_is_missing() -> None:
    streamed = {name for name, fault in FAULTS.items() if fault.manner in MANNERS_STREAMED}
    assert TABLE.keys() == streamed - PLACELESS
    for name, row in TABLE.items():
        at_head = {"head"} if FAULTS[name].manner in AT_HEAD else set()
        # Endless words need a text to be in.
        places = {"text", "terminal"} if name == "flood" else set(POSITIONS) - {"head"} | at_head
        places -= {"terminal"} if name == "reset" else set()
        assert row.keys() == places, name


@asynccontextmanager
async def three_protocols() -> AsyncIterator[tuple[Daemon, Client, Simulator, ManualClock]]:
    clock = ManualClock()
    patience: dict[str, Any] = {
        "startup_seconds": STARTUP_S,
        "silence_seconds": SILENCE_S,
        "pings_seconds": PINGS_S,
        "api_key": "sim",
    }
    async with short_dir() as folder, Simulator(rate=0) as simulator:
        url = simulator.url
        config = Config(
            # Guards use the same clock as leases.
            worker=LONG_LEASES,
            providers={
                "anthropic": ProviderConfig(kind="anthropic", base_url=url, **patience),
                "openai": ProviderConfig(kind="openai", base_url=f"{url}/v1", **patience),
                "local": ProviderConfig(kind="openai-compatible", base_url=f"{url}/v1", **patience),
            },
            models={
                "sonnet": ModelConfig(provider="anthropic", model="sim-large"),
                "gpt": ModelConfig(provider="openai", model="sim-large"),
                "llama": ModelConfig(provider="local", model="sim-large"),
            },
        )
        async with (
            running_daemon(folder, config, clock) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            yield daemon, client, simulator, clock


class Stored:
    """The stored rows of a chat, read without the project's own queries."""

    def __init__(self, connection: Connection, chat_id: str) -> None:
        self.row = load_chat(connection, chat_id)
        found = connection.execute(
            select(messages.c.role, messages.c.parts)
            .where(messages.c.chat_id == chat_id)
            .order_by(messages.c.id)
        )
        self.answers: list[list[Part]] = [
            load_parts(parts) for role, parts in found if role == "assistant"
        ]
        self.outcomes: list[str | None] = list(
            connection.execute(
                select(attempts.c.outcome)
                .where(attempts.c.chat_id == chat_id)
                .order_by(attempts.c.id)
            ).scalars()
        )
        self.runs = connection.execute(
            select(tool_runs.c.call_id).where(tool_runs.c.chat_id == chat_id)
        ).all()


async def stored(daemon: Daemon, chat_id: str) -> Stored:
    return await daemon.database.read(lambda c: Stored(c, chat_id))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("fault", TABLE)
async def test_a_fault_is_decided_and_nothing_half_is_kept(fault: str, model: str) -> None:
    async with three_protocols() as (daemon, client, simulator, clock):

        async def one(at: str, kind: FailureKind | None) -> None:
            told = f"[[{fault} at={at} after=4]] [[tool=write args={ARGUMENTS}]] [[echo]] {WORDS}"
            # The fault must happen before its guard ends the attempt: it happens only once.
            stalled = simulator.stalled
            sent = await client.create_chat(CreateChat(content=told, model=model))
            chat_id = sent.chat.id
            if kind is not None:
                failed = await _fails(
                    daemon, clock, chat_id, kind, lambda: simulator.stalled > stalled
                )
                assert failed.outcomes == [kind], at
                # Nothing of the failed attempt is stored, least of all half a call.
                assert (failed.answers, failed.runs) == ([], []), at
                assert failed.row.status == ("running" if kind in RETRYABLE else "error"), at
                if kind not in RETRYABLE:
                    assert failed.row.last_error is not None
                    assert (failed.row.retry, failed.row.last_error.kind) == (None, kind)
                    return
                assert failed.row.retry is not None
                assert failed.row.retry.error.kind == kind, at
            whole = await _ends(daemon, clock, chat_id, lambda: simulator.stalled > stalled)
            assert [type(part) for part in whole.answers[0]] == [Text, ToolCall], at
            text, call = whole.answers[0]
            assert isinstance(text, Text)
            assert isinstance(call, ToolCall)
            assert (text.text.strip(), call.arguments) == (WORDS, ARGUMENTS), at
            # One answer with the call, one about its result; no other, and no third attempt.
            assert len(whole.answers) == 2, at
            assert whole.outcomes == [*([kind] if kind else []), "tool_calls", "stop"], at

        # Sequentially: they share the clock.
        for at in TABLE[fault]:
            if fault == "reset" and at == "end" and model != "gpt":
                continue  # it may discard the finish word
            await one(at, _expected(fault, model, at))


DRAIN_S = DEFAULT_LIMITS.drain
CLOSING_S = DEFAULT_LIMITS.closing
# Added to each step, so that a rounded float is not just before a timer.
HAIR_S = 1e-6
# The timeout of the guard that ends an attempt with this kind.
GUARDS: dict[FailureKind, float] = {"startup_timeout": STARTUP_S, "silence_timeout": SILENCE_S}


async def _fails(
    daemon: Daemon,
    clock: ManualClock,
    chat_id: str,
    kind: FailureKind,
    silent: Callable[[], bool],
) -> Stored:
    """Wait for the end of the first attempt; time passes only for the guard that should end it."""
    guard = GUARDS.get(kind, 0.0)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            now = await stored(daemon, chat_id)
            if now.row.retry is not None or now.row.status == "error":
                return now
            if guard and silent() and any(abs(wait - guard) < 0.5 for wait in clock.waits()):
                clock.advance(guard + 1)
                guard = 0.0  # once: the daemon has timers of as many seconds, and the retry waits
            await asyncio.sleep(0.005)
    raise AssertionError


async def _ends(
    daemon: Daemon, clock: ManualClock, chat_id: str, silent: Callable[[], bool]
) -> Stored:
    """Advance over retries and ends of bodies, and wait until the turn is over."""
    async with asyncio.timeout(PATIENCE_S):
        while (now := await stored(daemon, chat_id)).row.status != "waiting":
            assert now.row.status == "running", now.row.last_error
            # Time passes only for the expected timer: a guard must not end an attempt in progress.
            soonest = clock.waits()[0]
            # After a finish word only counts and an end mark are missing.
            closes = silent() and soonest <= CLOSING_S
            if now.row.retry is not None or soonest < 2 * DRAIN_S or closes:
                clock.advance(soonest + HAIR_S)
            await asyncio.sleep(0.005)
    return now
