"""200 ms of delay and 2 % loss, and worse: typing, sending and streaming on such a line.

The relay forwards each chunk 200 ms late, and holds 2 % of them for a further 400 ms.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import Any

from network.lines import Hurried, line
from palaver.client import Client, Connected, ConnectionLost, Endpoint
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.events import MessageEvent, MessagePartEvent, StreamEvent
from palaver.wire.messages import Text
from palaver_tui.app import PalaverApp
from support.chats import reaches
from support.clock import PATIENCE_S, until
from support.relay import Relay
from tui.screen import Client as Person

SLOW: dict[str, Any] = {"late_s": 0.2, "held": 0.02, "hold_s": 0.4}
NO_REPLAY: Any = None  # the daemon and the clock are the real ones
WORDS = 150
PROMPT = f"[[length={WORDS}]] [[rate=60]] tell me"


class Reading:
    """A client that follows a chat and keeps every event."""

    def __init__(self, client: Client, chat_id: str) -> None:
        self.events: list[StreamEvent] = []
        self.connected = 0
        self.lost = 0
        self._client, self._chat_id = client, chat_id
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async with aclosing(self._client.stream(self._chat_id)) as stream:
            async for batch in stream:
                for item in batch:
                    if isinstance(item, ConnectionLost):
                        self.lost += 1
                    elif isinstance(item, Connected):
                        self.connected += 1
                    else:
                        self.events.append(item)

    @property
    def live(self) -> dict[str, str]:
        """Return the live output of each episode, in order of arrival."""
        shown: dict[str, str] = defaultdict(str)
        for event in self.events:
            if isinstance(event, MessagePartEvent):
                assert event.offset == len(shown[event.episode]), "lost or doubled"
                shown[event.episode] += event.delta
        return shown

    @property
    def answers(self) -> dict[str, str]:
        """Return the committed message of each episode."""
        return {
            event.replaces: text_of(event)
            for event in self.events
            if isinstance(event, MessageEvent) and event.replaces
        }

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def text_of(event: MessageEvent) -> str:
    return "".join(part.text for part in event.message.parts if isinstance(part, Text))


async def all_said(client: Client, chat_id: str) -> list[tuple[str, str]]:
    page = await client.messages(chat_id, limit=200)
    return [
        (m.role, "".join(p.text for p in m.parts if isinstance(p, Text)))
        for m in reversed(page.messages)
    ]


async def told(
    reading: Reading, relay: Relay, far: Client, chat_id: str, near: Client, *, cuts: int
) -> None:
    """Send three messages and cut the line as many times, while an answer streams."""
    for number in range(max(3, cuts)):
        before = len(reading.events)
        async with asyncio.timeout(PATIENCE_S):
            while len(reading.events) <= before:
                await asyncio.sleep(0.01)
        if number < cuts:
            relay.cut()
        if number < 3:
            key = f"key-{number}"
            request = SendMessage(f"[[echo]] message {number}")
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        await far.send(chat_id, request, key=key)
                        break
                    except Exception:  # noqa: BLE001 - cut off: the same key makes it safe
                        await asyncio.sleep(0.05)
    chat = await reaches(near, chat_id, "running", "waiting")
    while chat.status != "waiting" or chat.queue_length:
        chat = await near.chat(chat_id)
        await asyncio.sleep(0.05)


async def test_while_an_answer_streams_in_nothing_is_lost_or_doubled() -> None:
    await stream_on(cuts=0, **SLOW)


async def test_nor_when_the_line_is_cut_again_and_again() -> None:
    await stream_on(cuts=4, **{**SLOW, "late_s": 0.05})


async def stream_on(*, cuts: int, **slow: Any) -> None:
    async with (
        line(**slow) as (daemon, relay, endpoint),
        Client(endpoint, random=Random(5)) as far,
        Client(Endpoint(socket=daemon.socket)) as near,
    ):
        chat = (await far.create_chat(CreateChat(PROMPT), key="first")).chat
        reading = Reading(far, chat.id)
        await told(reading, relay, far, chat.id, near, cuts=cuts)
        said = await all_said(near, chat.id)
        await until(lambda: len(reading.answers) == 4)
        await reading.stop()
        wanted = [PROMPT, *(f"[[echo]] message {number}" for number in range(3))]
        assert [text for role, text in said if role == "user"] == wanted
        assert len(said) == 8
        answers = [text for role, text in said if role == "assistant"]
        assert len(answers[0].split()) == WORDS
        assert answers[1:] == [f"message {number}" for number in range(3)]
        # The far client's live output is what was committed, as far as it got.
        assert Counter(reading.answers.values()) == Counter(answers)
        for episode, live in reading.live.items():
            assert reading.answers[episode].startswith(live)
        if cuts:
            assert reading.connected > 1
        else:
            assert (reading.connected, reading.lost) == (1, 0)
            assert relay.times_held > 0
            first = min(reading.live, key=lambda key: [int(n) for n in key.split(".")])
            assert reading.live[first] == answers[0]  # every word of it was live, and once


async def test_keys_answer_at_once_and_what_is_sent_goes_out_once(tmp_path: Path) -> None:
    async with (
        line(**SLOW) as (daemon, relay, endpoint),
        Client(Endpoint(socket=daemon.socket)) as near,
    ):

        async def connect() -> Endpoint:
            return endpoint

        app = PalaverApp(connect, data_dir=tmp_path, random=Random(3), motion=False)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            me = Person(app, NO_REPLAY, pilot, NO_REPLAY)
            await until(lambda: app.session.models is not None)
            me.composer.insert(PROMPT)
            me.tap("enter")
            await until(lambda: me.view.live is not None and me.view.live.blocks)
            for number in range(3):
                typed = f"message{number}"
                handed_on = relay.chunks
                relay.flowing.clear()
                me.tap(*typed)
                # Nothing passes the line, and every key is shown all the same.
                await until(lambda: me.composer.text == typed)  # noqa: B023
                assert relay.chunks == handed_on
                relay.flowing.set()
                me.tap("enter")
                await until(lambda: me.composer.text == "")
                await until(lambda: typed in me.text())  # noqa: B023
            chat_id = me.view.chat_id
            assert chat_id is not None
            await until(lambda: me.view.status == "waiting" and len(me.view.messages) == 8)
            shown = [
                (m.role, "".join(p.text for p in m.parts if isinstance(p, Text)))
                for m in me.view.messages
            ]
            assert shown == await all_said(near, chat_id)
            assert [text for role, text in shown if role == "user"] == [
                PROMPT,
                *(f"message{number}" for number in range(3)),
            ]
            assert me.view.outgoing == ()


async def test_a_line_that_died_without_a_word_is_found_out_and_the_outbox_goes_out_once(
    tmp_path: Path,
) -> None:
    """As behind a router that forgot the connections: no reset, and nothing passes."""
    clock = Hurried(8)
    async with (
        line(clock=clock) as (daemon, relay, endpoint),
        Client(Endpoint(socket=daemon.socket)) as near,
    ):

        async def connect() -> Endpoint:
            return endpoint

        app = PalaverApp(connect, data_dir=tmp_path, random=Random(3), motion=False, clock=clock)
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            me = Person(app, NO_REPLAY, pilot, NO_REPLAY)
            await until(lambda: app.session.models is not None)
            me.composer.insert("[[echo]] before")
            me.tap("enter")
            await until(lambda: me.view.status == "waiting" and len(me.view.messages) == 2)
            relay.die()
            me.composer.insert("[[echo]] into nothing")
            me.tap("enter")
            await until(lambda: app.session.connection.phase == "reconnecting")
            assert app.session.connection.reason == "nothing was heard of the daemon any more"
            lost_at = app.session.connection.since
            assert lost_at is not None
            await until(lambda: app.session.connection.phase == "live")
            await until(lambda: me.view.status == "waiting" and len(me.view.messages) == 4)
            assert me.view.outgoing == ()
            assert me.view.chat_id is not None
            assert [text for _, text in await all_said(near, me.view.chat_id)] == [
                "[[echo]] before",
                "before",
                "[[echo]] into nothing",
                "into nothing",
            ]
