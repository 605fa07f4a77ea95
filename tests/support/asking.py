"""The users of an interleaving: each reads the chat, then acts on what it saw."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from palaver.wire.actions import EditMessage
from palaver.wire.chats import SendMessage
from palaverd.chatstate.errors import NotInQueue, Refused, StaleVersion
from palaverd.store.sync import load_queue
from palaverd.store.transitions.interrupt import interrupt
from palaverd.store.transitions.queue import hold_queue, promote_queued, release_queue
from palaverd.usecases.history import edit_message
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import send_message
from palaverd.usecases.queue import take_back
from support.inline import at_once
from support.interleaving import Actor, Steps, World, text_of
from support.store import OWNER


def send(world: World, text: str, *, key: str | None = None) -> None:
    at_once(send_message(world.context, world.chat_id, Asker(OWNER, key), SendMessage(text)))


def sender(*texts: str) -> Actor:
    """Send one message after the other."""

    def act(world: World) -> Steps:
        for text in texts:
            send(world, text)
            world.acknowledged.append(text)
            yield

    return Actor(act, len(texts))


def repeater(text: str) -> Actor:
    """Send with a key, and again with the same key, as after a lost response."""

    def act(world: World) -> Steps:
        send(world, text, key="k")
        world.acknowledged.append(text)
        yield
        send(world, text, key="k")

    return Actor(act, 2)


def stopper(*, hold: bool = False, times: int = 1) -> Actor:
    """Read the turn, then interrupt it, several times; a turn that is over must not be stopped."""

    def act(world: World) -> Steps:
        seen = world.row.turn_version
        for _ in range(times):
            yield
            before = world.row
            world.apply(lambda chat: interrupt(chat, seen, hold_queue=hold))
            if before.turn_version != seen:
                assert world.row == before, "a late stop changed a later turn"

    return Actor(act, 1 + times)


def interrupting_sender(text: str) -> Actor:
    """Read the turn, then send a message that interrupts it."""

    def act(world: World) -> Steps:
        seen = world.row.turn_version
        yield
        before = world.row
        asker = Asker(OWNER)
        message = SendMessage(text, when_busy="interrupt", turn_version=seen)
        at_once(send_message(world.context, world.chat_id, asker, message))
        world.acknowledged.append(text)
        if before.turn_version != seen and before.status == "running":
            assert world.row.status == "running", "a late interruption stopped a later turn"

    return Actor(act, 2)


def steerer(text: str) -> Actor:
    """Read the turn, then send a message that steers it."""

    def act(world: World) -> Steps:
        seen = world.row.turn_version
        yield
        before = world.row
        message = SendMessage(text, when_busy="steer", turn_version=seen)
        sent = at_once(send_message(world.context, world.chat_id, Asker(OWNER), message))
        world.acknowledged.append(text)
        if sent.queued is not None:
            steers = sent.queued.steer_turn == world.row.turn_version
            assert steers == (before.turn_version == seen), "it steers a turn that it never saw"

    return Actor(act, 2)


def promoter() -> Actor:
    """Read the last message of the queue, then promote it."""

    def act(world: World) -> Steps:
        seen, queue = world.row.turn_version, load_queue(world.connection, world.chat_id)
        yield
        if queue:
            _or_refused(
                lambda: world.apply(lambda chat: promote_queued(chat, queue[-1].id, seen)),
                NotInQueue,
            )

    return Actor(act, 2)


def editor(text: str) -> Actor:
    """Read the first message, then edit it."""

    def act(world: World) -> Steps:
        seen, first = world.row.history_version, world.history()[0].id
        yield

        def edit() -> None:
            edited = at_once(
                edit_message(
                    world.context, world.chat_id, Asker(OWNER), first, EditMessage(text, seen)
                )
            )
            world.acknowledged.append(text)
            world.dropped += [text_of(m) for m in edited.dropped if m.role == "user"]
            world.dropped += [one.content for one in edited.dropped_queue]

        _or_refused(edit, StaleVersion)

    return Actor(act, 2)


def taker() -> Actor:
    """Read the first message of the queue, then remove it."""

    def act(world: World) -> Steps:
        queue = load_queue(world.connection, world.chat_id)
        yield

        def take() -> None:
            answer = at_once(take_back(world.context, world.chat_id, Asker(OWNER), queue[0].id))
            assert answer.removed is not None
            world.dropped.append(answer.removed.content)

        if queue:
            _or_refused(take, NotInQueue)

    return Actor(act, 2)


def holder() -> Actor:
    """Hold the queue, and release it."""

    def act(world: World) -> Steps:
        _or_refused(lambda: world.apply(hold_queue), Refused)
        yield
        _or_refused(lambda: world.apply(release_queue), Refused)

    return Actor(act, 2)


def _or_refused(ask: Callable[[], None], refusal: type[Exception]) -> None:
    """Run `ask`; accept a refusal because it came too late."""
    with suppress(refusal):
        ask()
