"""An older database, which stored whole responses: its keys still work after the upgrade."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from palaver.clock import SystemClock
from palaver.wire.actions import ClearContext, Edited, EditMessage
from palaver.wire.chats import Chat, CreateChat, SendMessage, Sent, Versions
from palaver.wire.messages import Message, QueuedMessage, Text
from palaver.wire.queue import Acted, QueueAnswer
from palaverd.chatstate.errors import KeyReused
from palaverd.chatstate.table import Transition
from palaverd.store import migrate
from palaverd.store.access import ensure_user
from palaverd.store.backup import integrity_problems
from palaverd.store.codec import dumps, from_ms
from palaverd.store.door import Door, NewChat
from palaverd.store.history import NewUserMessage
from palaverd.store.idempotency import Content, request_key
from palaverd.store.sqlite import SqliteDatabase
from palaverd.usecases.context import Context
from palaverd.usecases.history import clear, edit_message
from palaverd.usecases.keyed_requests import Asker
from palaverd.usecases.messages import create_chat, send_message
from palaverd.usecases.queue import take_back
from store.test_door import Recorder
from support.schema import opened, upgrade
from support.store import NOW, OWNER, context_of

WHEN = from_ms(NOW)
CHAT = Chat("c", "t", "running", WHEN, WHEN, Versions(7, 7, 7, 0, 0))
SAID = Message(11, "user", [Text("a long story")], 7, WHEN)
QUEUED = QueuedMessage(31, 0, "waits", WHEN)
GONE = QueuedMessage(32, 1, "taken back", WHEN)
HI = Content.of(NewUserMessage("hi", created_by=OWNER))

# For each key the request and the response, as the version before stored them.
OLD: dict[str, tuple[Transition, object, object]] = {
    "create": (
        Transition.CREATE,
        [NewChat(OWNER, "t", title_by_person=True), HI],
        Sent(CHAT, message=SAID),
    ),
    "send": (Transition.SEND, ["c", [HI, False, None, None]], Sent(CHAT, queued=QUEUED)),
    "edit": (
        Transition.EDIT,
        ["c", [9, HI, 5]],
        Edited(CHAT, SAID, dropped=[SAID], dropped_queue=[GONE]),
    ),
    "take back": (
        Transition.DELETE_QUEUED,
        ["c", 32],
        QueueAnswer(CHAT, queue=[QUEUED], removed=GONE),
    ),
    "clear": (Transition.CLEAR_CONTEXT, ["c", 5], Acted(CHAT, changed=True)),
    "unreadable": (Transition.SEND, ["c", [HI, False, None, 1]], "{cut off"),
}


def write(connection: Connection) -> None:
    """Fill a database of schema 0004."""
    upgrade(connection, "0004")
    ensure_user(connection, OWNER, NOW)
    connection.execute(CHATS)
    for id_, deleted, revision, words in ((9, 1, 7, "dropped"), (11, 0, 7, "a long story")):
        row = {"id": id_, "deleted": deleted, "revision": revision, "now": NOW}
        connection.execute(MESSAGES, row | {"parts": dumps([Text(words)])})
    connection.execute(QUEUE, {"now": NOW})
    for key, (operation, asked, answer) in OLD.items():
        made = request_key(OWNER, key, operation, asked)
        assert made is not None
        asked_by = {"owner": OWNER, "key": key, "digest": made.digest}
        written = answer if isinstance(answer, str) else dumps(answer)
        said = {"operation": operation.value, "answer": written}
        connection.execute(KEYS, {**asked_by, **said, "now": NOW})


CHATS = text(
    "INSERT INTO chats (id, owner, root_id, title, title_by_person, labels, client_type,"
    " created_at, updated_at, archived, status, queue_held, queue_length, waiting_for_children,"
    " snapshot_version, history_version, turn_version, queue_version, retry_version,"
    " generation_attempt) VALUES ('c', 'ann', 'c', 't', 1, '{}', 'api', 0, 0, 0, 'running', 0, 1,"
    " 0, 8, 7, 7, 8, 0, 0)"
)
MESSAGES = text(
    "INSERT INTO messages (id, chat_id, role, visibility, content_version, parts, revision,"
    " deleted, created_at, boundary) VALUES (:id, 'c', 'user', 'both', 1, :parts, :revision,"
    " :deleted, :now, 0)"
)
QUEUE = text(
    "INSERT INTO queued_messages (id, chat_id, position, content, created_at)"
    " VALUES (31, 'c', 0, 'waits', :now)"
)
KEYS = text(
    "INSERT INTO idempotency_keys (owner, key, chat_id, operation, fingerprint, answer, created_at)"
    " VALUES (:owner, :key, 'c', :operation, :digest, :answer, :now)"
)


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A database of schema 0004."""
    path = tmp_path / "palaver.db"
    with opened(path) as connection, connection.begin():
        write(connection)
    return path


@pytest.fixture
async def context(old_file: Path) -> AsyncIterator[Context]:
    """Use cases on an upgraded database."""
    database = SqliteDatabase(old_file, SystemClock())
    await database.open(migrate.migrate)
    try:
        yield context_of(Door(database, Recorder(), SystemClock(), random.Random(1)))
    finally:
        await database.close()


async def test_requests_of_before_are_answered_with_what_they_made_and_change_nothing(
    context: Context,
) -> None:
    before = await context.door.database.read(lambda c: c.execute(ROWS).all())
    created = await create_chat(context, Asker(OWNER, "create"), CreateChat("hi", title="t"))
    assert (created.repeated, created.chat.id) == (True, "c")
    assert created.message is not None
    assert (created.message.id, created.message.key) == (11, None)
    sent = await send_message(context, "c", Asker(OWNER, "send"), SendMessage("hi"))
    assert (sent.repeated, sent.queued) == (True, QUEUED)
    change = EditMessage("hi", history_version=5)
    edited = await edit_message(context, "c", Asker(OWNER, "edit"), 9, change)
    assert edited.message is not None
    assert (edited.repeated, edited.message.id, edited.dropped_queue) == (True, 11, [GONE])
    assert [message.parts for message in edited.dropped] == [[Text("dropped")]]
    taken = await take_back(context, "c", Asker(OWNER, "take back"), 32)
    assert (taken.repeated, taken.queue, taken.removed) == (True, [QUEUED], GONE)
    cleared = await clear(context, "c", Asker(OWNER, "clear"), ClearContext(5))
    assert (cleared.repeated, cleared.changed) == (True, True)
    # An unreadable response still prevents a second execution.
    lost = await send_message(
        context, "c", Asker(OWNER, "unreadable"), SendMessage("hi", position=1)
    )
    assert (lost.repeated, lost.message, lost.queued) == (True, None, None)
    assert await context.door.database.read(lambda c: c.execute(ROWS).all()) == before


ROWS = text("SELECT id, parts FROM messages UNION SELECT id, content FROM queued_messages")


async def test_another_request_with_a_key_of_before_is_refused(context: Context) -> None:
    for key in OLD:
        with pytest.raises(KeyReused):
            await send_message(context, "c", Asker(OWNER, key), SendMessage("something else"))


def test_an_upgrade_of_many_keys_keeps_them_all(old_file: Path) -> None:
    many = [f"k{number:05}" for number in range(1203)]
    row = {"owner": OWNER, "operation": "x", "answer": "{}", "now": NOW}
    with opened(old_file) as connection, connection.begin():
        connection.execute(KEYS, [row | {"key": key, "digest": key} for key in many])
        migrate.migrate(connection)
        kept = connection.execute(text("SELECT key FROM idempotency_keys ORDER BY key")).scalars()
        assert list(kept) == sorted([*OLD, *many])
    assert integrity_problems(old_file) == []
