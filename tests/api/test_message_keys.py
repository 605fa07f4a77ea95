"""A message carries the key of the request that sent it, in responses, pages and streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec
import pytest

from palaver.client import Client, Endpoint
from palaver.wire.actions import EditMessage, Fork
from palaver.wire.chats import CreateChat, Interrupt, SendMessage
from palaver.wire.events import CaughtUp, MessageEvent, QueueUpdate
from palaver.wire.messages import Message, QueuedMessage
from palaver.wire.queue import EditQueued, Promote, QueueOrder
from palaverd.daemon import Daemon
from palaverd.simulator import Simulator
from support.chats import rests
from support.daemon import running_daemon, running_pair, short_dir, simulator_config

SLOW = "[[slow-first=600000]] wait"
WORDS = "continue"  # which every client sends


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Daemon, Client]]:
    async with running_pair() as (daemon, client, _):
        yield daemon, client


async def streamed(client: Client, chat_id: str) -> tuple[list[Message], list[QueuedMessage]]:
    """Return the user's messages and the queue, as a stream that starts now sends them."""
    messages: list[Message] = []
    queue: list[QueuedMessage] = []
    async with aclosing(client.stream(chat_id)) as batches:
        async for batch in batches:
            for event in batch:
                if isinstance(event, MessageEvent) and event.message.role == "user":
                    messages.append(event.message)
                elif isinstance(event, QueueUpdate):
                    queue = event.queue
                elif isinstance(event, CaughtUp):
                    return messages, queue
    raise AssertionError("the stream ended")


async def page(client: Client, chat_id: str) -> list[Message]:
    found = (await client.messages(chat_id)).messages[::-1]
    return [message for message in found if message.role == "user"]


async def test_the_first_message_of_a_chat_and_those_after_it_have_their_keys(
    pair: tuple[Daemon, Client],
) -> None:
    daemon, client = pair
    created = await client.create_chat(CreateChat(WORDS), key="k1")
    chat_id = created.chat.id
    assert created.message is not None
    assert created.message.key == "k1"
    await rests(daemon, client, chat_id)
    sent = await client.send(chat_id, SendMessage(WORDS), key="k2")
    assert sent.message is not None
    assert sent.message.key == "k2"
    await rests(daemon, client, chat_id)
    await client.send(chat_id, SendMessage(WORDS))
    await rests(daemon, client, chat_id)
    for messages in ((await streamed(client, chat_id))[0], await page(client, chat_id)):
        assert [(m.key, m.queued_id) for m in messages] == [
            ("k1", None),
            ("k2", None),
            (None, None),
        ]
    answers = [m for m in (await client.messages(chat_id)).messages if m.role == "assistant"]
    assert {(m.key, m.queued_id) for m in answers} == {(None, None)}


async def test_a_queued_message_keeps_its_key_however_it_is_changed_moved_and_promoted(
    pair: tuple[Daemon, Client],
) -> None:
    daemon, client = pair
    chat_id = (await client.create_chat(CreateChat(SLOW), key="k0")).chat.id
    ids = []
    for number in (1, 2, 3):
        sent = await client.send(chat_id, SendMessage(f"[[echo]] {WORDS}"), key=f"k{number}")
        assert sent.queued is not None
        assert sent.queued.key == f"k{number}"
        ids.append(sent.queued.id)
    one, two, three = ids
    await client.reorder_queue(chat_id, QueueOrder([three, one, two]))
    await client.edit_queued(chat_id, one, EditQueued("[[echo]] said anew by somebody else"))
    removed = (await client.delete_queued(chat_id, two)).removed
    assert removed is not None
    assert removed.key == "k2"
    waiting = [(three, "k3"), (one, "k1")]
    assert [(q.id, q.key) for q in (await streamed(client, chat_id))[1]] == waiting
    turn = (await client.chat(chat_id)).versions.turn
    await client.promote(chat_id, one, Promote(turn))
    await rests(daemon, client, chat_id)
    promoted = [("k0", None), ("k1", one), ("k3", three)]
    for messages in ((await streamed(client, chat_id))[0], await page(client, chat_id)):
        assert [(m.key, m.queued_id) for m in messages] == promoted


async def test_a_message_that_interrupts_has_its_key(pair: tuple[Daemon, Client]) -> None:
    daemon, client = pair
    chat = (await client.create_chat(CreateChat(SLOW), key="k0")).chat
    message = SendMessage("[[echo]] no", "interrupt", turn_version=chat.versions.turn, position=0)
    sent = await client.send(chat.id, message, key="k1")
    assert sent.queued is not None
    await rests(daemon, client, chat.id)
    assert [(m.key, m.queued_id) for m in await page(client, chat.id)] == [
        ("k0", None),
        ("k1", sent.queued.id),
    ]


async def test_a_message_said_anew_has_the_key_of_the_edit(pair: tuple[Daemon, Client]) -> None:
    daemon, client = pair
    created = await client.create_chat(CreateChat(WORDS), key="k1")
    assert created.message is not None
    chat = await rests(daemon, client, created.chat.id)
    edit = EditMessage(WORDS, chat.versions.history)
    await client.edit_message(chat.id, created.message.id, edit, key="k2")
    assert [m.key for m in await page(client, chat.id)] == ["k2"]
    await rests(daemon, client, chat.id)


async def test_a_forks_copies_have_no_keys(pair: tuple[Daemon, Client]) -> None:
    """A client that has not seen its message yet must not take a fork's copy for it."""
    daemon, client = pair
    created = await client.create_chat(CreateChat(SLOW), key="k1")
    await client.send(created.chat.id, SendMessage(f"[[echo]] {WORDS}"), key="k2")
    turn = created.chat.versions.turn
    await client.interrupt(created.chat.id, Interrupt(turn))
    await rests(daemon, client, created.chat.id)
    originals = await page(client, created.chat.id)
    assert [m.key for m in originals] == ["k1", "k2"]
    fork = (await client.fork(created.chat.id, Fork(originals[-1].id), key="k3")).chat
    copies = await page(client, fork.id)
    assert [m.parts for m in copies] == [m.parts for m in originals]
    assert {(m.key, m.queued_id) for m in copies} == {(None, None)}


async def test_a_daemon_that_is_started_again_tells_the_same_keys() -> None:
    async with short_dir() as data_dir, Simulator() as simulator:
        config = simulator_config(simulator.url)
        async with (
            running_daemon(data_dir, config) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            chat_id = (await client.create_chat(CreateChat(SLOW), key="k1")).chat.id
            await client.send(chat_id, SendMessage(WORDS), key="k2")
            before = await streamed(client, chat_id)
        async with (
            running_daemon(data_dir, config) as daemon,
            Client(Endpoint(socket=daemon.socket)) as client,
        ):
            assert await streamed(client, chat_id) == before
    assert ([m.key for m in before[0]], [q.key for q in before[1]]) == (["k1"], ["k2"])


async def test_a_request_is_repeated_also_when_its_model_is_no_longer_configured() -> None:
    async with short_dir() as data_dir, Simulator() as simulator:
        config = simulator_config(simulator.url)
        for models in (config.models, {"sonnet": config.models["sonnet"]}):
            known = msgspec.structs.replace(config, models=models)
            async with (
                running_daemon(data_dir, known) as daemon,
                Client(Endpoint(socket=daemon.socket)) as client,
            ):
                created = await client.create_chat(CreateChat(WORDS, model="small"), key="k")
                sent = await client.send(
                    created.chat.id, SendMessage(WORDS, model="small"), key="k2"
                )
                assert sent.repeated == created.repeated == ("small" not in models)
