"""Connections that are cut, delayed, split and joined at random, and no hints: nothing is wrong.

`PALAVER_DISTURBED_S` is for how many seconds the line is disturbed.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from random import Random

import pytest

from network.lines import ANY, Hurried
from palaver.client import Client, Endpoint
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.messages import Text
from palaverd.simulator import Simulator
from support.clock import until
from support.daemon import make_daemon, short_dir, simulator_config
from support.hints import lose_hints
from support.relay import Relay
from support.tokens import make_token
from support.view import View, read_until

SECONDS = float(os.environ.get("PALAVER_DISTURBED_S", "3"))
HURRY = 20.0  # waits to reconnect, for retries and for lost hints are a fraction of their time
CLIENTS = 3
END_S = 60  # timeout for the answers after that, on a busy machine
PROMPTS = (
    "[[length=60]] tell me",
    "[[close after=12 times=1]] [[length=40]] go on",
    '[[tool=read args={"path":"a-file-with-a-name"} calls=3]] [[length=20]] look',
)


@pytest.mark.parametrize(("cuts", "hints"), [(True, True), (False, False), (True, False)])
async def test_nothing_is_lost_doubled_or_reordered(cuts: bool, hints: bool) -> None:
    chance = Random(13)
    async with AsyncExitStack() as opened:
        folder = await opened.enter_async_context(short_dir())
        simulator = await opened.enter_async_context(Simulator(rate=150))
        config = simulator_config(simulator.url, "openai-compatible")
        daemon = make_daemon(folder, config, Hurried(HURRY), listen=[ANY])
        await daemon.start()
        opened.push_async_callback(daemon.stop)
        token = (await make_token(daemon)).secret
        near = await opened.enter_async_context(Client(Endpoint(socket=daemon.socket)))
        relays = [
            await opened.enter_async_context(
                Relay(
                    daemon.listening[0].port,
                    late_s=0.005,
                    held=0.05,
                    hold_s=0.03,
                    pieces=600,
                    chance=Random(number),
                )
            )
            for number in range(CLIENTS)
        ]
        if not hints:
            lose_hints(daemon)
        chat_id = (await near.create_chat(CreateChat(PROMPTS[0]))).chat.id
        views = [View() for _ in relays]
        readers = []
        for number, (relay, view) in enumerate(zip(relays, views, strict=True)):
            far = Client(
                Endpoint(f"http://127.0.0.1:{relay.port}", token=token),
                clock=Hurried(HURRY / 4),
                random=Random(number),
            )
            await opened.enter_async_context(far)
            reading = read_until(far, chat_id, view, lambda: False, patience_s=SECONDS + 2 * END_S)
            readers.append(asyncio.create_task(reading))
        sent = 1
        loop = asyncio.get_running_loop()
        end = loop.time() + SECONDS
        while loop.time() < end:
            if (await near.chat(chat_id)).queue_length < 2:
                await near.send(chat_id, SendMessage(PROMPTS[sent % len(PROMPTS)]))
                sent += 1
            await asyncio.sleep(chance.uniform(0.05, 0.3))
            if cuts:
                chance.choice(relays).cut()
        chat = await near.chat(chat_id)
        async with asyncio.timeout(END_S):
            while chat.status not in {"waiting", "error"} or chat.queue_length:
                chat = await near.chat(chat_id)
                await asyncio.sleep(0.02)

        def all_read() -> bool:
            for reader in readers:
                if reader.done():
                    reader.result()  # raises what a view has refused
            return all(view.progress.since == chat.versions.snapshot for view in views)

        await until(all_read)
        for reader in readers:
            reader.cancel()
        fresh = View()
        await read_until(near, chat_id, fresh, lambda: fresh.caught_up)
        asked = [one.parts for one in fresh.messages.values() if one.role == "user"]
        every = [[Text(PROMPTS[number % len(PROMPTS)])] for number in range(sent)]
        assert asked == every[-len(asked) :]  # a first page has the newest
        assert len(asked) > 1
        for view in views:
            check(view, fresh)


def check(view: View, fresh: View) -> None:
    """Compare what a disturbed client shows with what a client shows that comes afterwards."""
    newest = {number: view.messages[number] for number in fresh.messages}
    assert newest == fresh.messages
    assert list(view.messages) == sorted(view.messages)
    assert (view.live, view.queue, view.retry) == ({}, [], None)
    whole = {
        "".join(part.text for part in message.parts if isinstance(part, Text))
        for message in view.messages.values()
    }
    for told in view.told.values():
        live = "".join(block.text for block in told.values() if block.kind == "text")
        assert any(text.startswith(live) for text in whole)
