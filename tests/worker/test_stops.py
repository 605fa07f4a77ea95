"""A stop or a shutdown at any moment of an answer: the saved text is the shown one.

PALAVER_STOPS sets the number of points at which answers are stopped.
"""

from __future__ import annotations

import asyncio
import os
import random

import msgspec
import pytest

from palaver.client import Client, Connected, ConnectionLost
from palaver.wire.chats import CreateChat, Interrupt
from palaver.wire.events import CaughtUp, MessageEvent, MessagePartEvent, StatusEvent
from palaver.wire.messages import Message, Text
from palaverd.daemon import Daemon
from palaverd.store.check import violations
from palaverd.stream.episode import Episode
from support.clock import PATIENCE_S
from support.daemon import make_daemon, running_pair

STOPS = int(os.environ.get("PALAVER_STOPS", "200"))
AT_ONCE = 8
WORDS = 60
CHARACTERS = 200  # fewer than an answer has


class Seen(msgspec.Struct):
    """What one client was shown of one answer, and what was committed of it."""

    shown: str = ""
    after: str = ""  # live text after the committed message
    saved: Message | None = None


def text_of(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Text))


async def stopped_after(client: Client, characters: int) -> Seen:
    """Stop an answer once so many characters of it were shown; follow it to the end."""
    # The answer never ends by itself: a stop always comes in the middle.
    content = f"[[silence at=end times=9999]] [[length={WORDS}]] [[rate=400]] hello"
    sent = await client.create_chat(CreateChat(content=content))
    stop = Interrupt(turn_version=sent.chat.versions.turn)
    seen, status = Seen(), ""
    asked: asyncio.Task[object] | None = None
    stream = client.stream(sent.chat.id)
    try:
        async for batch in stream:
            for item in batch:
                if isinstance(item, MessagePartEvent):
                    if seen.saved is None:
                        seen.shown += item.delta
                    else:
                        seen.after += item.delta
                elif isinstance(item, MessageEvent) and item.message.role == "assistant":
                    seen.saved = item.message
                elif isinstance(item, StatusEvent):
                    status = item.status
                elif isinstance(item, Connected | ConnectionLost):
                    continue
                if len(seen.shown) >= characters and asked is None:
                    asked = asyncio.ensure_future(client.interrupt(sent.chat.id, stop))
                if isinstance(item, CaughtUp) and status == "waiting":
                    return seen
    finally:
        await stream.aclose()
        if asked is not None:
            await asked
    raise AssertionError("the stream ended")


async def stops(count: int) -> list[Seen]:
    chance = random.Random(11)
    places = asyncio.Semaphore(AT_ONCE)

    async with running_pair() as (daemon, client, _):

        async def one(characters: int) -> Seen:
            async with places:
                return await stopped_after(client, characters)

        points = [chance.randrange(CHARACTERS) for _ in range(count)]
        found = await asyncio.gather(*map(one, points))
        for chat_id in [chat.id for chat in (await client.chats(limit=200)).chats]:
            assert await daemon.database.read(lambda c: violations(c, chat_id)) == []  # noqa: B023
        return found


def saved_as_shown(found: list[Seen]) -> None:
    for seen in found:
        assert seen.after == "", "something was shown after the stop was committed"
        if seen.saved is None:
            assert seen.shown == "", "text was shown and is gone"
            continue
        saved = text_of(seen.saved)
        assert seen.saved.finish == "interrupted"
        # The last words may be in the message only.
        assert saved.startswith(seen.shown), f"shown {seen.shown!r}, saved {saved!r}"


async def test_a_stop_at_any_point_saves_exactly_what_was_shown_and_nothing_comes_later() -> None:
    found = await stops(STOPS)
    saved_as_shown(found)
    lengths = {len(seen.shown) for seen in found}
    assert len(lengths) > 4, "the stops came at too few different points"


async def test_it_would_be_noticed_if_the_live_log_went_on_after_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log is not sealed, and what was saved a moment before is committed instead of it."""
    monkeypatch.setattr(Episode, "seal", lambda self: None)
    monkeypatch.setattr("palaverd.generation.interruption.shown_parts", lambda blocks: [])
    with pytest.raises(AssertionError, match="gone"):
        saved_as_shown(await stops(6))


async def answer_events(client: Client, daemon: Daemon, chat_id: str, count: int) -> None:
    """Wait until the live log has `count` entries, or the answer is committed."""
    async with asyncio.timeout(PATIENCE_S):
        while (await client.chat(chat_id)).status != "waiting":
            episode = daemon.episodes.current(chat_id)
            if episode is not None and episode.end >= count:
                return
            await asyncio.sleep(0)


@pytest.mark.parametrize("count", [0, 1, 5, 10, 14, 16, 17, 18, 19, 20, 21, 22])
async def test_an_answer_that_ends_while_the_daemon_goes_is_committed_or_made_again(
    count: int,
) -> None:
    async with running_pair() as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content="[[length=20]] [[rate=300]] hello"))
        await answer_events(client, daemon, sent.chat.id, count)
        await daemon.stop()
        again = make_daemon(daemon._data_dir.path, daemon._config)
        await again.start()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while (await client.chat(sent.chat.id)).status != "waiting":
                    await asyncio.sleep(0.01)
            page = await client.messages(sent.chat.id)
            assert [(m.role, m.finish) for m in page.messages] == [
                ("assistant", "stop"),
                ("user", None),
            ]
            assert len(simulator.requests) <= 2
            assert await again.database.read(lambda c: violations(c, sent.chat.id)) == []
        finally:
            await again.stop()
