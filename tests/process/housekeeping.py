"""A story of the other requests about chats: edit, fork, reorder the queue, archive."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from palaver.client import Refused
from palaver.wire.actions import Answers, CallAnswer, ClearContext, EditMessage, Fork
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.queue import ChangeChat, EditQueued, Promote, QueueOrder, Resume
from palaverd.chatstate.table import Transition
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.migrate import migrate
from palaverd.store.tables import chats, users
from process.crash import Act, Notes, Story, rest
from process.talk import text_of
from support.chats import plant_calls
from support.process import DaemonProcess
from support.schema import opened
from support.store import NOW

# Longer than any story: a chat with this answer stays busy, also after a restart.
SLOW = "[[rate=4]] [[length=400]]"
# Alembic has global state in a module: one migration at a time in a process.
_migrating = threading.Lock()


def plant(path: Path) -> None:
    """Write a chat that waits for an answer, one past its deadline, and an inconsistent one."""
    with _migrating, opened(path) as connection, connection.begin():
        migrate(connection)
        connection.execute(insert(users).values(id=LOCAL_OWNER, created_at=NOW))
        plant_calls(connection, "owed", {"one": None})
        plant_calls(connection, "late", {"two": NOW})
        plant_calls(connection, "broken", {"three": None})
        connection.execute(update(chats).where(chats.c.id == "broken").values(status="asleep"))


async def begin(daemon: DaemonProcess, notes: Notes) -> None:
    sent = await daemon.client.create_chat(CreateChat(content="[[echo]] first"), key="first")
    notes["chat"] = sent.chat.id


def say(text: str) -> Act:
    """Return a request that sends; a queued message is noted by its last word."""

    async def act(daemon: DaemonProcess, notes: Notes) -> None:
        sent = await daemon.client.send(notes["chat"], SendMessage(content=text), key=text)
        if sent.queued is not None:
            notes[text.split()[-1]] = sent.queued.id

    return act


def at_rest(name: str = "chat", status: str | None = None) -> Act:
    async def act(daemon: DaemonProcess, notes: Notes) -> None:
        chat = await rest(daemon, notes.get(name, name))
        assert status in (None, chat.status), chat

    return act


def once(name: str, request: Callable[[DaemonProcess, Notes], Awaitable[Any]]) -> Act:
    """Choose the request when it is first sent; after a crash the same one is sent again."""

    async def act(daemon: DaemonProcess, notes: Notes) -> None:
        if name not in notes:
            notes[name] = await request(daemon, notes)
        await notes[name](daemon)

    return act


async def unless_done(request: Awaitable[Any]) -> None:
    """Return a request without a key: that its subject is gone means that it was done."""
    try:
        await request
    except Refused as refused:
        if refused.problem.status not in (404, 409):
            raise


async def edit(daemon: DaemonProcess, notes: Notes) -> Any:
    chat = await daemon.client.chat(notes["chat"])
    first = (await daemon.client.messages(chat.id)).messages[-1].id
    change = EditMessage(content="[[echo]] edited", history_version=chat.versions.history)
    return lambda d: d.client.edit_message(chat.id, first, change, key="edit")


async def fork(daemon: DaemonProcess, notes: Notes) -> None:
    if "last" not in notes:
        notes["last"] = (await daemon.client.messages(notes["chat"])).messages[0].id
    sent = await daemon.client.fork(notes["chat"], Fork(message_id=notes["last"]), key="fork")
    notes["fork"] = sent.chat.id


async def import_(daemon: DaemonProcess, notes: Notes) -> None:
    """Import what was exported once: after a crash the same document is sent again."""
    if "document" not in notes:
        exported = daemon.client.export_chat(notes["fork"], "json")
        notes["document"] = b"".join([piece async for piece in exported])
    sent = await daemon.client.import_chat(BytesIO(notes["document"]), key="import")
    notes["imported"] = sent.chat.id


async def clear(daemon: DaemonProcess, notes: Notes) -> Any:
    chat = await daemon.client.chat(notes["fork"])
    request = ClearContext(history_version=chat.versions.history)
    return lambda d: d.client.clear(chat.id, request, key="clear")


async def hold(daemon: DaemonProcess, notes: Notes) -> None:
    await unless_done(daemon.client.hold_queue(notes["chat"]))


async def edit_queued(daemon: DaemonProcess, notes: Notes) -> None:
    await daemon.client.edit_queued(notes["chat"], notes["q1"], EditQueued("[[echo]] q1 again"))


async def reorder(daemon: DaemonProcess, notes: Notes) -> None:
    order = QueueOrder([notes["q3"], notes["q1"], notes["q2"]])
    await daemon.client.reorder_queue(notes["chat"], order)


async def delete_queued(daemon: DaemonProcess, notes: Notes) -> None:
    await daemon.client.delete_queued(notes["chat"], notes["q3"], key="delete")


async def promote(daemon: DaemonProcess, notes: Notes) -> None:
    """Not repeated with a key: a user who sees the result does not repeat it."""
    chat = await daemon.client.chat(notes["chat"])
    if chat.queue_length == 2:
        request = Promote(turn_version=chat.versions.turn)
        await unless_done(daemon.client.promote(chat.id, notes["q2"], request))


async def interrupt(daemon: DaemonProcess, notes: Notes) -> Any:
    chat = await daemon.client.chat(notes["chat"])
    message = SendMessage(
        content="[[echo]] now", when_busy="interrupt", turn_version=chat.versions.turn
    )
    return lambda d: d.client.send(chat.id, message, key="now")


async def steer(daemon: DaemonProcess, notes: Notes) -> Any:
    chat = await daemon.client.chat(notes["chat"])
    message = SendMessage(
        content="[[echo]] aside", when_busy="steer", turn_version=chat.versions.turn
    )
    return lambda d: d.client.send(chat.id, message, key="aside")


async def resume(daemon: DaemonProcess, notes: Notes) -> Any:
    chat = await daemon.client.chat(notes["chat"])
    request = Resume(turn_version=chat.versions.turn)
    return lambda d: d.client.resume(chat.id, request, key="resume")


async def compact(daemon: DaemonProcess, notes: Notes) -> None:
    await daemon.client.compact(notes["chat"], key="compact")


async def answer_owed(daemon: DaemonProcess, notes: Notes) -> Any:
    chat = await daemon.client.chat("owed")
    given = Answers(chat.versions.turn, [CallAnswer("one", text="here it is")])
    return lambda d: d.client.answer_calls("owed", given, key="owed")


def archive(archived: bool) -> Act:
    async def act(daemon: DaemonProcess, notes: Notes) -> None:
        if (await daemon.client.chat(notes["fork"])).archived != archived:
            await daemon.client.change_chat(notes["fork"], ChangeChat(archived=archived))

    return act


async def delete(daemon: DaemonProcess, notes: Notes) -> None:
    await unless_done(daemon.client.delete_chat(notes["fork"]))


async def check(daemon: DaemonProcess, notes: Notes) -> None:
    chat = await rest(daemon, notes["chat"])
    history = (await daemon.client.messages(chat.id, limit=200)).messages[::-1]
    assert (chat.status, chat.queue_length) == ("waiting", 0)
    said = [text_of(message) for message in history if message.role == "user"]
    assert [text.split("]] ")[-1] for text in said] == [
        "edited",
        "slow",
        "q2",
        "q1 again",
        "slower",
        "aside",
        "now",
        "bad",
        "tool",
    ]
    answers = [text_of(message) for message in history if message.role == "assistant"]
    for one in ("edited", "q2", "q1 again", "aside", "now"):
        assert answers.count(one) == 1, answers
    results = [message for message in history if message.role == "tool"]
    assert len(results) == 1
    assert (await rest(daemon, "owed")).status == "waiting"
    assert (await rest(daemon, "late")).status == "waiting"
    assert (await daemon.client.chat("broken")).status == "error"
    imported = (await daemon.client.messages(notes["imported"], limit=200)).messages[::-1]
    assert [text_of(message) for message in imported] == [said[0], "edited"]
    assert notes["fork"] not in {one.id for one in (await daemon.client.chats()).chats}


HOUSEKEEPING = Story(
    acts=(
        begin,
        at_rest(),
        once("edit", edit),
        at_rest(),
        fork,
        import_,
        once("clear", clear),
        say(f"{SLOW} slow"),
        say("[[echo]] q1"),
        say("[[echo]] q2"),
        say("[[echo]] q3"),
        hold,
        edit_queued,
        reorder,
        delete_queued,
        promote,
        at_rest(status="waiting"),
        say(f"{SLOW} slower"),
        once("steer", steer),
        once("interrupt", interrupt),
        at_rest(status="waiting"),
        say("[[401]] bad"),
        at_rest(status="error"),
        once("resume", resume),
        at_rest(status="error"),
        compact,
        at_rest(status="error"),
        say("[[tool=look]] tool"),
        at_rest(status="waiting"),
        once("answer", answer_owed),
        at_rest("owed"),
        archive(True),
        archive(False),
        archive(True),
        delete,
    ),
    check=check,
    chats=5,
    points=(
        Transition.FORK,
        Transition.IMPORT,
        Transition.SEND_INTERRUPT,
        Transition.SEND_STEER,
        Transition.EDIT,
        Transition.EDIT_QUEUED,
        Transition.REORDER_QUEUED,
        Transition.DELETE_QUEUED,
        Transition.PROMOTE_QUEUED,
        Transition.HOLD_QUEUE,
        Transition.COMPLETE_ACTION,
        Transition.RESUME,
        Transition.REQUEST_COMPACTION,
        Transition.CLEAR_CONTEXT,
        Transition.ARCHIVE,
        Transition.UNARCHIVE,
        Transition.DELETE,
        Transition.COMMIT_RESULTS,
        Transition.CANCEL_ACTION,
        Transition.RECONCILE,
    ),
    plant=plant,
)
