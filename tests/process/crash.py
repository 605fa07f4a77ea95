"""Run a sequence of requests against a daemon that is killed in the middle, and its successor."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from palaver.client import PalaverError, Refused
from palaver.wire.chats import Chat
from palaverd.chatstate.table import Transition
from palaverd.crashpoints import VARIABLE
from palaverd.store.backup import integrity_problems
from palaverd.store.check import check_all
from support.process import DaemonProcess, DiedAtStart, place, started

AT_ONCE = 3  # stories at the same time: each waits for its daemon most of the time
STORY_S = 60.0  # a story takes a few seconds, most of them to start daemons

# One vendor's SDK that is quick to import: each round starts two daemons.
CONFIG = """
default_model = "llama"
[providers.local]
kind = "openai-compatible"
base_url = "{url}/v1"
api_key = "sim"
[models.llama]
provider = "local"
model = "sim-large"
# So long that no lease ends: a starting daemon knows that the previous one has ended.
[worker]
lease_seconds = 3600
"""

AT_REST = ("waiting", "error", "paused")

# A teller's notes: ids, and requests that it may have to repeat unchanged.
Notes = dict[str, Any]
Act = Callable[[DaemonProcess, Notes], Awaitable[Any]]


class Story(msgspec.Struct, frozen=True):
    """Requests in their order; each can be repeated, as by a client whose response was lost.

    `plant` prepares the database before the first daemon, `check` states what must be true in the
    end, of so many `chats`; `points` are the transitions at which the daemon is killed.
    """

    acts: tuple[Act, ...]
    check: Callable[[DaemonProcess, Notes], Awaitable[None]]
    chats: int
    points: tuple[Transition, ...]
    plant: Callable[[Path], None] | None = None


class Killed(Exception):
    """The daemon was killed; the last request may or may not have been committed."""


class Teller:
    """Runs the story against one daemon after another, from where the last one was killed."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._told = 0
        self.notes: Notes = {}

    async def tell(self, daemon: DaemonProcess) -> None:
        try:
            while self._told < len(self._story.acts):
                await self._story.acts[self._told](daemon, self.notes)
                self._told += 1
        except Refused:
            raise
        except PalaverError as error:
            raise Killed from error


async def rest(daemon: DaemonProcess, chat_id: str) -> Chat:
    while (chat := await daemon.client.chat(chat_id)).status not in AT_REST:
        await asyncio.sleep(0.01)
    return chat


async def round_of(
    story: Story,
    environment: Mapping[str, str],
    kill_after: float | None = None,
    without: Sequence[str] = (),
    story_s: float = STORY_S,
) -> bool:
    """Run the whole story, with the daemon killed once. Returns whether it really was.

    `without` names safeguards that are switched off, to show that the story needs them.
    """
    teller = Teller(story)
    async with place(config=CONFIG) as data_dir, asyncio.timeout(story_s):
        if story.plant is not None:
            await asyncio.to_thread(story.plant, data_dir / "palaver.db")
        died = await _first_daemon(teller, data_dir, environment, kill_after, without)
        async with started(data_dir, without=without) as daemon:
            await teller.tell(daemon)
            await story.check(daemon, teller.notes)
            await daemon.end(signal.SIGTERM)
        file = data_dir / "palaver.db"
        assert await asyncio.to_thread(integrity_problems, file) == []
        assert await asyncio.to_thread(check_all, file) == (story.chats, [])
    return died


async def _first_daemon(
    teller: Teller,
    data_dir: Path,
    environment: Mapping[str, str],
    kill_after: float | None,
    without: Sequence[str],
) -> bool:
    try:
        async with started(data_dir, environment, without) as daemon:
            killer = asyncio.create_task(_kill(daemon, kill_after))
            try:
                await teller.tell(daemon)
            except Killed:
                return True
            finally:
                killer.cancel()
            await daemon.end(signal.SIGKILL)
            return False
    except DiedAtStart:
        return True


async def _kill(daemon: DaemonProcess, after: float | None) -> None:
    if after is not None:
        await asyncio.sleep(after)
        daemon.process.send_signal(signal.SIGKILL)


class Round(msgspec.Struct, frozen=True):
    """One kill: at a named point, or after so many seconds."""

    story: Story
    point: str | None = None
    after: float | None = None

    @property
    def name(self) -> str:
        return self.point or ("nowhere" if self.after is None else f"{self.after:.3f} s")

    @property
    def environment(self) -> dict[str, str]:
        return {VARIABLE: f"{self.point}:1"} if self.point else {}


def named_points(story: Story, transition: Transition) -> list[Round]:
    return [Round(story, point=f"{transition.value}:{when}") for when in ("before", "after")]


async def all_rounds(rounds: Iterable[Round]) -> list[str]:
    """Run stories a few at a time. Returns the names of those in which no daemon was killed."""
    places = asyncio.Semaphore(AT_ONCE)
    survived = []

    async def one(round_: Round) -> None:
        async with places:
            try:
                if not await round_of(round_.story, round_.environment, round_.after):
                    survived.append(round_.name)
            except Exception as error:
                raise AssertionError(f"killed at {round_.name}: {error!r}") from error

    async with asyncio.TaskGroup() as group:
        for round_ in rounds:
            group.create_task(one(round_))
    return survived


def count_from(variable: str, default: int) -> int:
    return int(os.environ.get(variable, default))
