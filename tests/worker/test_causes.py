"""The cause of a task's cancellation decides what becomes of the chat, at any point of a turn.

A user's stop is never retried. A cancellation or a broken connection that a library raises by
itself is a failure of the provider, and is retried. A chat that its worker loses, or releases at a
shutdown, is resumed. Real sockets and the real SDK; the test advances the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import httpx2
import msgspec
import pytest
from sqlalchemy import select

from palaver.wire.actions import EditMessage
from palaver.wire.chats import CreateChat, Interrupt
from palaver.wire.messages import Text
from palaverd.chatstate.table import Transition
from palaverd.config.types import WorkerConfig
from palaverd.crashpoints import When
from palaverd.providers.limits import DEFAULT_LIMITS, OWN_SERVER_LIMITS
from palaverd.store.tables import attempts
from support.clock import PATIENCE_S, ManualClock, until
from support.daemon import make_daemon, running_pair
from support.scene import Scene
from support.wire import Manners, Wire

WORDS = "one two three four five"
SHOWN = "one two three"
EDITED = "[[echo]] said anew"

Place = Callable[[Scene, str], Awaitable[None]]


class End(msgspec.Struct, frozen=True):
    """The end of a chat: finish and text of each answer, and the outcome of each attempt."""

    answers: tuple[tuple[str | None, str], ...]
    attempts: tuple[str | None, ...]


# --- the points -------------------------------------------------------------------------------


async def begin(s: Scene, prompt: str) -> None:
    sent = await s.client.create_chat(CreateChat(content=prompt))
    s.chat_id = sent.chat.id


async def shown(s: Scene, text: str) -> None:
    def is_shown() -> bool:
        episode = s.daemon.episodes.current(s.chat_id)
        return episode is not None and "".join(b.text for b in episode.blocks).strip() == text

    await until(is_shown)


async def opening(s: Scene, prompt: str) -> None:
    await begin(s, f"[[silence at=head]] {prompt}")
    await until(lambda: s.simulator.requests)


async def mid_text(s: Scene, prompt: str) -> None:
    await begin(s, f"[[silence at=text after=3]] {prompt}")
    await shown(s, SHOWN)


async def before_the_end(s: Scene, prompt: str) -> None:
    """Wait until the finish word came; the terminal event does not."""
    await begin(s, f"[[silence at=end]] {prompt}")
    await shown(s, WORDS)
    await until(lambda: DEFAULT_LIMITS.closing in s.clock.waits())


async def draining(s: Scene, prompt: str) -> None:
    """Wait until the terminal event came; the body does not end."""
    await begin(s, f"[[stay-open times=1]] {prompt}")
    await until(lambda: DEFAULT_LIMITS.drain in s.clock.waits())


async def waiting(s: Scene, prompt: str) -> None:
    await begin(s, f"[[529]] {prompt}")
    row = await s.reaches("running", retry=True)
    assert row.retry is not None
    seconds = row.retry.delay_ms / 1000
    await until(lambda: any(abs(wait - seconds) < 1e-6 for wait in s.clock.waits()))


async def committed(s: Scene, prompt: str) -> None:
    """Wait until the answer is committed, before its task or anything else has noticed."""
    reached = asyncio.Event()

    def hook(when: When, transitions: Sequence[str]) -> None:
        if when == "after" and Transition.COMMIT_RESPONSE in transitions:
            reached.set()

    s.daemon.door._reached = hook
    await begin(s, prompt)
    await reached.wait()


# --- the causes -------------------------------------------------------------------------------


async def interrupted(s: Scene, _wire: Wire) -> None:
    row = await s.row()
    await s.client.interrupt(s.chat_id, Interrupt(turn_version=row.turn_version))


async def superseded(s: Scene, _wire: Wire) -> None:
    page = await s.client.messages(s.chat_id)
    first = page.messages[-1]
    row = await s.row()
    change = EditMessage(content=EDITED, history_version=row.history_version)
    await s.client.edit_message(s.chat_id, first.id, change)


async def lease_lost(s: Scene, _wire: Wire) -> None:
    s.daemon.worker._lose_leases()


async def shutdown(s: Scene, _wire: Wire) -> None:
    await s.daemon.stop()
    s.daemon = make_daemon(s.daemon._data_dir.path, s.daemon._config, s.clock)
    await s.daemon.start()


async def silence(s: Scene, _wire: Wire) -> None:
    s.clock.advance(max(OWN_SERVER_LIMITS.startup, OWN_SERVER_LIMITS.silence))


async def library_cancels(_s: Scene, wire: Wire) -> None:
    wire.strike(asyncio.CancelledError())


async def library_resets(_s: Scene, wire: Wire) -> None:
    wire.strike(httpx2.ReadError("[Errno 104] Connection reset by peer"))


# --- the results ------------------------------------------------------------------------------

WHOLE = ("stop", WORDS)
ANEW = ("stop", "said anew")
CUT = ("interrupted", SHOWN)
STOPPED = ("interrupted", WORDS)  # complete, but not marked as such when the user stopped it
DONE = End((WHOLE,), ("stop",))
AGAIN = End((WHOLE,), ("lost", "stop"))
WAITED = End((WHOLE,), ("overloaded", "stop"))
RETRIED = End((WHOLE,), ("timeout", "stop"))
TOO_SILENT = End((WHOLE,), ("silence_timeout", "stop"))

# A worker that loses a chat, or releases it, leaves it to be resumed.
TAKEN_UP: dict[Place, End] = {
    opening: AGAIN,
    mid_text: AGAIN,
    before_the_end: AGAIN,
    draining: AGAIN,
    waiting: WAITED,
    committed: DONE,
}
# No library's code runs during a wait; once all is committed, nothing waits for it.
FAILED: dict[Place, End] = {
    opening: RETRIED,
    mid_text: RETRIED,
    before_the_end: DONE,  # the finish word marks it as complete
    draining: DONE,
}
Cause = Callable[[Scene, Wire], Awaitable[None]]
TABLE: dict[Cause, dict[Place, End]] = {
    interrupted: {
        opening: End((), ("interrupted",)),
        mid_text: End((CUT,), ("interrupted",)),
        before_the_end: End((STOPPED,), ("interrupted",)),
        draining: End((STOPPED,), ("interrupted",)),
        waiting: End((), ("overloaded",)),
        committed: DONE,
    },
    superseded: {
        opening: End((ANEW,), ("edited", "stop")),
        mid_text: End((ANEW,), ("edited", "stop")),
        before_the_end: End((ANEW,), ("edited", "stop")),
        draining: End((ANEW,), ("edited", "stop")),
        waiting: End((ANEW,), ("overloaded", "stop")),
        committed: End((ANEW,), ("stop", "stop")),
    },
    lease_lost: TAKEN_UP,
    shutdown: TAKEN_UP,
    silence: {
        opening: End((WHOLE,), ("startup_timeout", "stop")),
        mid_text: TOO_SILENT,
        before_the_end: DONE,
        draining: DONE,
    },
    library_cancels: FAILED,
    library_resets: FAILED,
}
CELLS = [
    pytest.param(cause, place, end, id=f"{cause.__name__}-{place.__name__}")
    for cause, row in TABLE.items()
    for place, end in row.items()
]


@asynccontextmanager
async def reached(
    place: Place, monkeypatch: pytest.MonkeyPatch, manners: Manners = "obeys"
) -> AsyncIterator[tuple[Scene, Wire]]:
    clock = ManualClock()
    patient = WorkerConfig(lease_seconds=1e6)  # longer than any silence
    async with running_pair(clock=clock, worker=patient) as (daemon, client, simulator):
        wire = Wire(monkeypatch, manners)
        s = Scene(daemon, client, simulator, clock, "")
        await place(s, f"[[echo]] {WORDS}")
        try:
            yield s, wire
        finally:
            await s.daemon.stop()


async def ended(s: Scene) -> End:
    """Let the chat become idle, with the announced waits; return its end."""
    async with asyncio.timeout(PATIENCE_S):
        while (row := await s.row()).status not in ("waiting", "error") or s.daemon.worker.running:
            if row.retry is not None:
                s.clock.advance(row.retry.delay_ms / 1000)
            await asyncio.sleep(0.005)
    page = await s.client.messages(s.chat_id)
    answers = tuple(
        (m.finish, "".join(p.text for p in m.parts if isinstance(p, Text)).strip())
        for m in reversed(page.messages)
        if m.role == "assistant"
    )
    made = select(attempts.c.outcome).where(attempts.c.chat_id == s.chat_id).order_by(attempts.c.id)
    outcomes = await s.daemon.database.read(lambda c: tuple(c.execute(made).scalars()))
    return End(answers, outcomes)


@pytest.mark.parametrize(("cause", "place", "end"), CELLS)
async def test_what_becomes_of_a_chat(
    cause: Cause, place: Place, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reached(place, monkeypatch) as (s, wire):
        await cause(s, wire)
        assert await ended(s) == end
        # Each attempt is one request: no library retries by itself.
        assert len(s.simulator.requests) == len(end.attempts)


@pytest.mark.parametrize("place", [opening, mid_text, before_the_end])
async def test_a_stop_that_a_library_turns_into_an_error_of_its_own_is_still_a_stop(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reached(place, monkeypatch, "translates") as (s, wire):
        await interrupted(s, wire)
        assert await ended(s) == TABLE[interrupted][place]
        assert len(s.simulator.requests) == 1


@pytest.mark.parametrize("place", [opening, mid_text, before_the_end])
async def test_a_stop_is_committed_although_a_library_swallows_the_cancellation(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is stopped: nothing may wait for the task that continues."""
    async with reached(place, monkeypatch, "swallows") as (s, wire):
        await interrupted(s, wire)
        await s.reaches("waiting")
        wire.strike(httpx2.ReadError("at last"))
        assert await ended(s) == TABLE[interrupted][place]


@pytest.mark.parametrize("cause", [lease_lost, shutdown])
async def test_whoever_takes_a_chat_up_waits_out_the_wait_that_was_announced(
    cause: Cause, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reached(waiting, monkeypatch) as (s, wire):
        before = (await s.row()).retry
        assert before is not None
        await cause(s, wire)
        s.clock.advance(1)  # the worker looks for work
        await s.reaches("running", runner_id=True)
        left = (before.retrying_at - s.clock.now()).total_seconds()
        await until(lambda: any(abs(wait - left) < 1e-6 for wait in s.clock.waits()))
        assert (await s.row()).retry == before
        assert len(s.simulator.requests) == 1
        s.clock.advance(left)
        assert await ended(s) == WAITED


async def test_a_stop_after_a_shutdown_shows_what_was_shown_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The live text is lost with its process: what is shown was saved at the shutdown."""
    async with reached(mid_text, monkeypatch) as (s, _wire):
        await s.daemon.stop()
        asleep = msgspec.structs.replace(s.daemon._config, worker=WorkerConfig(enabled=False))
        s.daemon = make_daemon(s.daemon._data_dir.path, asleep, s.clock)
        await s.daemon.start()
        await interrupted(s, _wire)
        await s.daemon.stop()
        awake = msgspec.structs.replace(asleep, worker=WorkerConfig())
        s.daemon = make_daemon(s.daemon._data_dir.path, awake, s.clock)
        await s.daemon.start()
        assert (await ended(s)).answers == (CUT,)
