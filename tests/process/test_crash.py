"""kill -9 at every named commit point and at random instants: nothing acknowledged is lost.

A client tells a daemon a story of requests, each with its idempotency key. The daemon is killed
somewhere; the client repeats what was not acknowledged to the next one. In the end every
message is there once, every chat is at rest, and the file is well.

PALAVER_CRASH_ROUNDS says how many random instants are tried (the named points always are).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from palaver.client import PalaverError, Refused
from palaver.wire.chats import Chat, CreateChat, Interrupt, SendMessage
from palaver.wire.messages import Message, Text
from palaver.wire.queue import SkipBackoff
from palaverd.chatstate.table import Transition
from palaverd.crashpoints import VARIABLE
from palaverd.store.backup import integrity_problems
from palaverd.store.check import check_all
from support.process import DaemonProcess, place, started

pytestmark = pytest.mark.process

ROUNDS = int(os.environ.get("PALAVER_CRASH_ROUNDS", "28"))
AT_ONCE = 3  # stories told side by side: each waits for its daemon most of the time
STORY_S = 60.0  # a story takes about two seconds, most of them to start daemons

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
# So long that nothing goes on by itself: a daemon that starts knows that the last one is dead.
[worker]
lease_seconds = 3600
"""

POINTS = [
    (transition, when)
    for transition in (
        Transition.CREATE,
        Transition.SEND,
        Transition.INTERRUPT,
        Transition.RELEASE_QUEUE,
        Transition.SKIP_BACKOFF,
        Transition.ACQUIRE,
        Transition.RELEASE,
        Transition.RECORD_ATTEMPT,
        Transition.RECORD_RETRY,
        Transition.COMMIT_RESPONSE,
        Transition.FINISH_TURN,
        Transition.FINISH_INTERRUPTION,
        Transition.FINISH_ERROR,
    )
    for when in ("before", "after")
]

Act = Callable[[DaemonProcess, str], Awaitable[Any]]
AT_REST = ("waiting", "error", "paused")


async def stop(daemon: DaemonProcess, chat_id: str) -> None:
    chat = await daemon.client.chat(chat_id)
    await daemon.client.interrupt(
        chat_id, Interrupt(turn_version=chat.versions.turn, hold_queue=True)
    )


async def release(daemon: DaemonProcess, chat_id: str) -> None:
    if (await daemon.client.chat(chat_id)).queue == "held":
        await daemon.client.release_queue(chat_id)


async def skip_wait(daemon: DaemonProcess, chat_id: str) -> None:
    """End a wait for a retry, if the chat comes to one."""
    while (chat := await daemon.client.chat(chat_id)).status not in AT_REST:
        if chat.retry is not None:
            await daemon.client.skip_backoff(
                chat_id,
                SkipBackoff(turn_version=chat.versions.turn, retry_version=chat.versions.retry),
            )
            return
        await asyncio.sleep(0.01)


async def rest(daemon: DaemonProcess, chat_id: str) -> Chat:
    while (chat := await daemon.client.chat(chat_id)).status not in AT_REST:
        await asyncio.sleep(0.01)
    return chat


def say(text: str) -> Act:
    def act(daemon: DaemonProcess, chat_id: str) -> Awaitable[Any]:
        return daemon.client.send(chat_id, SendMessage(content=text), key=text)

    return act


FIRST = "[[length=60]] [[rate=200]] first"
SAID = [
    "[[echo]] second",
    "[[echo]] third",
    "[[529]] [[echo]] fourth",
    "[[401]] fifth",
    "[[echo]] sixth",
]
STORY: tuple[Act, ...] = (
    say(SAID[0]),
    say(SAID[1]),
    stop,
    release,
    rest,
    say(SAID[2]),
    skip_wait,
    rest,
    say(SAID[3]),
    rest,
    say(SAID[4]),
    rest,
)


class Killed(Exception):
    """The daemon is gone; what was asked last may or may not have happened."""


class Teller:
    """Tells the story to one daemon after another, from where the last one died."""

    def __init__(self) -> None:
        self.chat_id = ""
        self.told = 0

    async def tell(self, daemon: DaemonProcess) -> None:
        try:
            if not self.chat_id:
                sent = await daemon.client.create_chat(CreateChat(content=FIRST), key="first")
                self.chat_id = sent.chat.id
            while self.told < len(STORY):
                await STORY[self.told](daemon, self.chat_id)
                self.told += 1
        except Refused:
            raise
        except PalaverError as error:
            raise Killed from error


async def round_of(
    environment: dict[str, str],
    kill_after: float | None = None,
    without: Sequence[str] = (),
    story_s: float = STORY_S,
) -> bool:
    """Tell the whole story, with one death in it. Returns whether the daemon really died.

    `without` names safeguards that are switched off, to see that the story needs them.
    """
    teller, died = Teller(), False
    async with place(config=CONFIG) as data_dir, asyncio.timeout(story_s):
        async with started(data_dir, environment, without) as daemon:
            killer = asyncio.create_task(_kill(daemon, kill_after))
            try:
                await teller.tell(daemon)
            except Killed:
                died = True
            finally:
                killer.cancel()
            await daemon.end(signal.SIGKILL)
        async with started(data_dir, without=without) as daemon:
            await teller.tell(daemon)
            chat = await rest(daemon, teller.chat_id)
            await acknowledged_once(daemon, chat)
            await daemon.end(signal.SIGTERM)
        file = data_dir / "palaver.db"
        assert await asyncio.to_thread(integrity_problems, file) == []
        assert await asyncio.to_thread(check_all, file) == (1, [])
    return died


async def _kill(daemon: DaemonProcess, after: float | None) -> None:
    if after is not None:
        await asyncio.sleep(after)
        daemon.process.send_signal(signal.SIGKILL)


async def acknowledged_once(daemon: DaemonProcess, chat: Chat) -> None:
    page = await daemon.client.messages(chat.id, limit=200)
    history = page.messages[::-1]
    said = [text_of(message) for message in history if message.role == "user"]
    assert sorted(said) == sorted([FIRST, *SAID])
    assert chat.queue_length == 0
    answers = [text_of(message) for message in history if message.role == "assistant"]
    for once in ("second", "third", "fourth", "sixth"):
        assert answers.count(once) == 1, answers
    assert chat.status == "waiting"


def text_of(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Text))


async def all_rounds(rounds: list[tuple[str, dict[str, str], float | None]]) -> list[str]:
    """Tell stories a few at a time. Returns the names of those in which nobody died."""
    places = asyncio.Semaphore(AT_ONCE)
    survived = []

    async def one(name: str, environment: dict[str, str], after: float | None) -> None:
        async with places:
            try:
                if not await round_of(environment, after):
                    survived.append(name)
            except AssertionError as error:
                raise AssertionError(f"killed at {name}: {error}") from error

    async with asyncio.TaskGroup() as group:
        for round_ in rounds:
            group.create_task(one(*round_))
    return survived


async def test_killed_before_or_after_any_commit_nothing_is_lost_or_doubled() -> None:
    survived = await all_rounds(
        [(f"{t.value}:{when}", {VARIABLE: f"{t.value}:{when}:1"}, None) for t, when in POINTS]
    )
    assert survived == [], "these points were never reached: the story does not test them"


async def test_killed_at_random_instants_nothing_is_lost_or_doubled() -> None:
    chance = random.Random(20)
    rounds = [(after, chance.uniform(0.0, 1.5)) for after in range(ROUNDS)]
    survived = await all_rounds([(f"{seconds:.3f} s", {}, seconds) for _, seconds in rounds])
    # Late instants may come after the end of the story; most do not.
    assert len(survived) < max(1, ROUNDS // 2)


# What is switched off, where the daemon is killed then, and how the story fails.
ABLATIONS = [
    pytest.param("idempotency", Transition.SEND, AssertionError, id="a message is there twice"),
    pytest.param("dead_leases", Transition.RECORD_ATTEMPT, TimeoutError, id="a chat is stuck"),
]


@pytest.mark.parametrize(("safeguard", "transition", "failure"), ABLATIONS)
async def test_the_story_fails_without_this_safeguard(
    safeguard: str, transition: Transition, failure: type[Exception]
) -> None:
    with pytest.raises(failure):
        await round_of({VARIABLE: f"{transition.value}:after:1"}, without=[safeguard], story_s=15.0)
