"""A story of one chat: messages, a queue, a stop, a retry that is skipped, a failure."""

from __future__ import annotations

import asyncio
from typing import Any

from palaver.wire.chats import CreateChat, Interrupt, SendMessage
from palaver.wire.messages import Message, Text
from palaver.wire.queue import SkipBackoff
from palaverd.chatstate.table import Transition
from process.crash import AT_REST, Act, Notes, Story, rest
from support.process import DaemonProcess

FIRST = "[[length=60]] [[rate=200]] first"
SAID = [
    "[[echo]] second",
    "[[echo]] third",
    "[[529]] [[echo]] fourth",
    "[[401]] fifth",
    "[[echo]] sixth",
]


async def begin(daemon: DaemonProcess, notes: Notes) -> None:
    sent = await daemon.client.create_chat(CreateChat(content=FIRST), key="first")
    notes["chat"] = sent.chat.id


def say(text: str) -> Act:
    async def act(daemon: DaemonProcess, notes: Notes) -> Any:
        return await daemon.client.send(notes["chat"], SendMessage(content=text), key=text)

    return act


async def stop(daemon: DaemonProcess, notes: Notes) -> None:
    chat = await daemon.client.chat(notes["chat"])
    await daemon.client.interrupt(
        chat.id, Interrupt(turn_version=chat.versions.turn, hold_queue=True)
    )


async def release(daemon: DaemonProcess, notes: Notes) -> None:
    if (await daemon.client.chat(notes["chat"])).queue == "held":
        await daemon.client.release_queue(notes["chat"])


async def skip_wait(daemon: DaemonProcess, notes: Notes) -> None:
    """Skip a wait for a retry, if the chat comes to one."""
    while (chat := await daemon.client.chat(notes["chat"])).status not in AT_REST:
        if chat.retry is not None:
            skip = SkipBackoff(turn_version=chat.versions.turn, retry_version=chat.versions.retry)
            await daemon.client.skip_backoff(chat.id, skip)
            return
        await asyncio.sleep(0.01)


async def come_to_rest(daemon: DaemonProcess, notes: Notes) -> None:
    await rest(daemon, notes["chat"])


async def acknowledged_once(daemon: DaemonProcess, notes: Notes) -> None:
    chat = await rest(daemon, notes["chat"])
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


TALK = Story(
    acts=(
        begin,
        say(SAID[0]),
        say(SAID[1]),
        stop,
        release,
        come_to_rest,
        say(SAID[2]),
        skip_wait,
        come_to_rest,
        say(SAID[3]),
        come_to_rest,
        say(SAID[4]),
        come_to_rest,
    ),
    check=acknowledged_once,
    chats=1,
    points=(
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
    ),
)
