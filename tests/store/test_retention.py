"""Dropped messages are removed after their days, and every returning client learns of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from palaver.client import Client
from palaver.wire.actions import Edited, EditMessage
from palaver.wire.chats import CreateChat, SendMessage
from palaverd.chatstate.states import State
from palaverd.config.types import RetentionConfig, WorkerConfig
from palaverd.retention import EVERY_S, FIRST_S, PAUSE_S
from palaverd.store.access import LOCAL_OWNER, ensure_user
from palaverd.store.check import violations
from palaverd.store.door import finish
from palaverd.store.history import NewUserMessage
from palaverd.store.locked import lock
from palaverd.store.migrate import migrate
from palaverd.store.retention import Deleted, markers, purge_deleted
from palaverd.store.sync import Changes, load_changes, load_chat, load_page
from palaverd.store.tables import chats, messages, metadata, tool_runs
from palaverd.store.transitions.edit import edit
from store.test_old_keys import write
from support.chats import plant_calls, said
from support.clock import ManualClock, until
from support.daemon import running_pair
from support.schema import opened
from support.store import NOW, memory_store, plant

DAY = 24 * 3600
EDITS = (1, 3, 2, 4)  # the position in history of each edit


def first_deleted(deleted: list[Deleted], since: int) -> int | None:
    return min((one.id for one in deleted if one.revision > since), default=None)


@pytest.fixture
def own() -> Iterator[Connection]:
    with memory_store() as connection:
        yield connection


@given(st.lists(st.integers(0, 8), max_size=12))
def test_markers_tell_every_client_the_same_as_all_of_them(revisions: list[int]) -> None:
    deleted = [Deleted(number, revision, None) for number, revision in enumerate(revisions)]
    needed = markers(deleted)
    kept = [one for one in deleted if one.id in needed]
    for since in range(-1, 9):
        assert first_deleted(kept, since) == first_deleted(deleted, since)
    # Each of them is needed: without it, some client would get another result.
    for one in kept:
        others = [other for other in kept if other is not one]
        assert any(
            first_deleted(others, since) != first_deleted(kept, since) for since in range(-1, 9)
        )


def edited(store: Connection) -> list[int]:
    """Write a chat in which messages were edited, one a day; return its snapshots."""
    plant(store, State.W)
    for number in range(6):
        say(store, f"m{number}", NOW)
    snapshots = [load_chat(store, "c").snapshot_version]
    for day, place in enumerate(EDITS):
        row = load_chat(store, "c")
        page = load_page(store, "c", limit=200)[0][::-1]
        users = [message.id for message in page if message.role == "user"]
        chat = lock(store, "c", NOW + day * DAY * 1000)
        edit(
            chat, users[min(place, len(users) - 1)], NewUserMessage(f"e{day}"), row.history_version
        )
        finish(chat, None)
        for number in range(3):
            say(store, f"e{day}-{number}", NOW + day * DAY * 1000)
        snapshots.append(load_chat(store, "c").snapshot_version)
    return snapshots


def say(store: Connection, text: str, now: int) -> None:
    """Write a message into history as if a turn had answered it."""
    chat = lock(store, "c", now)
    chat.note_change()
    chat.row.history_version = chat.row.snapshot_version
    store.execute(
        messages.insert().values(
            chat_id="c",
            role="user",
            visibility="both",
            content_version=1,
            parts=f'[{{"type":"text","text":"{text}"}}]',
            revision=chat.row.snapshot_version,
            deleted=False,
            created_at=now,
            boundary=False,
        )
    )
    finish(chat, None)


def purge(store: Connection, before: int, most: int = 200) -> int:
    done, rounds = 0, 0
    while removed := purge_deleted(store, before, most):
        done, rounds = done + removed, rounds + 1
        assert rounds < 100
    return done


def told(store: Connection) -> list[Changes]:
    """Return what a returning client gets, for each earlier snapshot."""
    newest = load_chat(store, "c").snapshot_version
    return [load_changes(store, "c", since) for since in [None, *range(newest + 1)]]


@pytest.mark.parametrize("most", [1, 2, 200])
def test_clients_are_told_the_same_before_and_after(own: Connection, most: int) -> None:
    edited(own)
    before = told(own)
    assert len({changes.truncated_from for changes in before}) > 3
    for day in range(len(EDITS) + 1):
        purge(own, NOW + day * DAY * 1000, most)
        assert told(own) == before
        assert violations(own, "c") == []
    gone = own.execute(select(messages).where(messages.c.deleted)).all()
    assert gone
    assert {(row.parts, row.private, row.deleted_at) for row in gone} == {("[]", None, None)}
    assert len(gone) <= len(EDITS)


def test_what_is_not_old_enough_stays_whole(own: Connection) -> None:
    edited(own)
    everything = own.execute(select(messages).where(messages.c.deleted)).all()
    assert purge(own, NOW) == 0
    assert own.execute(select(messages).where(messages.c.deleted)).all() == everything
    young = [row for row in everything if row.deleted_at >= NOW + 2 * DAY * 1000]
    assert purge(own, NOW + 2 * DAY * 1000) == len(everything) - len(young)
    left = own.execute(select(messages).where(messages.c.deleted_at.is_not(None))).all()
    assert left == young


def test_what_clients_answered_to_calls_goes_with_the_calls(own: Connection) -> None:
    ensure_user(own, LOCAL_OWNER, NOW)
    row = plant_calls(own, "a", {"one": None, "two": None})
    other = plant_calls(own, "b", {"one ": None})
    assert purge(own, NOW + DAY * 1000) == 0
    own.execute(
        messages.update()
        .where(messages.c.chat_id == row.chat_id, messages.c.role == "assistant")
        .values(deleted=True, deleted_at=NOW, revision=9)
    )
    assert purge(own, NOW + 1) == 1
    assert own.execute(select(tool_runs.c.chat_id)).scalars().all() == [other.chat_id]


SECRET, TAKEN = "a word that was taken back", "a word that waited"


async def taken_back(client: Client) -> tuple[str, Callable[[], Awaitable[Edited]]]:
    """Drop a message by an edit, remove another from the queue; return how to repeat both."""
    sent = await client.create_chat(CreateChat(SECRET, title="t"), key="first")
    queued = (await client.send(sent.chat.id, SendMessage(TAKEN), key="second")).queued
    assert sent.message is not None
    assert queued is not None
    await client.delete_queued(sent.chat.id, queued.id, key="take")
    message, change = sent.message.id, EditMessage("another", sent.chat.versions.history)

    async def edit() -> Edited:
        return await client.edit_message(sent.chat.id, message, change, key="edit")

    assert [said(one) for one in (await edit()).dropped] == [SECRET]
    return sent.chat.id, edit


def everything(connection: Connection) -> str:
    return "\n".join(
        repr(row) for table in metadata.sorted_tables for row in connection.execute(select(table))
    )


@pytest.mark.parametrize("days", [0, 2])
async def test_the_daemon_looks_every_hour_and_never_where_nothing_goes(days: int) -> None:
    clock = ManualClock()
    async with running_pair(
        clock=clock,
        worker=WorkerConfig(enabled=False),
        retention=RetentionConfig(days=days),
    ) as (daemon, client, _):
        chat_id, again = await taken_back(client)

        async def words() -> set[str]:
            stored = await daemon.database.read(everything)
            return {word for word in (SECRET, TAKEN) if word in stored}

        await until(lambda: any(abs(wait - FIRST_S) < 1 for wait in clock.waits()))
        clock.advance(FIRST_S + 1)
        for _ in range(2):
            await until(lambda: any(abs(wait - EVERY_S) < 1 for wait in clock.waits()))
            assert await words() == {SECRET, TAKEN}
            clock.advance(DAY)
        if days == 0:
            await daemon.retention.purge()
            assert await words() == {SECRET, TAKEN}
            assert [said(one) for one in (await again()).dropped] == [SECRET]
            return
        for _ in range(2):
            await until(lambda: any(abs(wait - PAUSE_S) < 0.01 for wait in clock.waits()))
            clock.advance(PAUSE_S)
        await until(lambda: any(abs(wait - EVERY_S) < 1 for wait in clock.waits()))
        assert await words() == set()
        answer = await again()
        assert (answer.repeated, answer.dropped) == (True, [])
        assert [said(one) for one in (await client.messages(chat_id)).messages] == ["another"]


def test_of_what_was_deleted_before_the_upgrade_the_chats_last_activity_counts(
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "palaver.db") as connection, connection.begin():
        write(connection)
        migrate(connection)
        rows = connection.execute(select(messages.c.id, messages.c.deleted_at))
        dates = {row.id: row.deleted_at for row in rows}
        activity = connection.execute(select(chats.c.updated_at)).scalar_one()
    assert dates == {9: activity, 11: None}
