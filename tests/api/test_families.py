"""Archive, unarchive and delete a chat with its children: all of them, or none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from palaver.client import Client, Refused
from palaver.wire.queue import ChangeChat
from palaverd.chatstate.states import State
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from support.chats import assert_well, plant_member
from support.daemon import running_pair
from support.store import dump

ARCHIVE, BRING_BACK = ChangeChat(archived=True), ChangeChat(archived=False)
# (id, parent, state): a child that had been archived before, and a grandchild that has failed.
FAMILY = [
    ("a", None, State.W),
    ("b", "a", State.P),
    ("c", "a", State.XW),
    ("d", "b", State.E1),
]
NAMES = [name for name, _, _ in FAMILY]


@pytest.fixture
async def family() -> AsyncIterator[tuple[Daemon, Client]]:
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _):

        def plant(connection):  # type: ignore[no-untyped-def]
            for name, parent, state in FAMILY:
                plant_member(connection, state, name, parent)

        await daemon.database.write(plant)
        yield daemon, client


async def archived(client: Client) -> dict[str, bool]:
    return {name: (await client.chat(name)).archived for name in NAMES}


async def test_a_family_is_archived_at_once_and_comes_back_as_it_was(
    family: tuple[Daemon, Client],
) -> None:
    daemon, client = family
    assert (await client.change_chat("a", ARCHIVE)).archived
    assert await archived(client) == dict.fromkeys(NAMES, True)
    assert [c.id for c in (await client.chats()).chats] == []
    assert {c.id for c in (await client.chats(archived=True)).chats} == set(NAMES)
    await client.change_chat("a", BRING_BACK)
    # c was archived before, by itself: it stays archived.
    assert await archived(client) == {"a": False, "b": False, "c": True, "d": False}
    assert (await client.chat("b")).status == "paused"
    assert (await client.chat("d")).status == "error"
    await assert_well(daemon, *NAMES)


async def test_a_busy_child_refuses_for_the_whole_family_and_is_named(
    family: tuple[Daemon, Client],
) -> None:
    daemon, client = family
    await daemon.database.write(lambda c: plant_member(c, State.R0, "grandchild", "d"))
    before = await daemon.database.read(dump)
    with pytest.raises(Refused) as refused:
        await client.change_chat("a", ARCHIVE)
    problem = refused.value.problem
    assert (problem.status, problem.code, problem.transition) == (409, "refused", "archive")
    assert "grandchild is busy" in problem.detail
    assert await daemon.database.read(dump) == before


async def test_a_child_does_not_come_back_while_its_parent_is_archived(
    family: tuple[Daemon, Client],
) -> None:
    daemon, client = family
    await client.change_chat("a", ARCHIVE)
    before = await daemon.database.read(dump)
    with pytest.raises(Refused) as refused:
        await client.change_chat("d", BRING_BACK)
    assert "parent is archived" in refused.value.problem.detail
    assert await daemon.database.read(dump) == before
    await client.change_chat("a", BRING_BACK)
    assert not (await client.change_chat("c", BRING_BACK)).archived


async def test_a_child_put_away_before_its_family_comes_back_by_itself_afterwards(
    family: tuple[Daemon, Client],
) -> None:
    _, client = family
    await client.change_chat("b", ARCHIVE)
    assert await archived(client) == {"a": False, "b": True, "c": True, "d": True}
    await client.change_chat("a", ARCHIVE)
    await client.change_chat("a", BRING_BACK)
    assert await archived(client) == {"a": False, "b": True, "c": True, "d": True}
    await client.change_chat("b", BRING_BACK)
    assert await archived(client) == {"a": False, "b": False, "c": True, "d": False}


async def test_an_archived_family_is_deleted_with_all_its_rows(
    family: tuple[Daemon, Client],
) -> None:
    daemon, client = family
    await client.change_chat("a", ARCHIVE)
    await client.delete_chat("a")
    for name in NAMES:
        with pytest.raises(Refused) as refused:
            await client.chat(name)
        assert refused.value.problem.status == 404
    left = await daemon.database.read(dump)
    assert {table: rows for table, rows in left.items() if rows}.keys() == {
        "search_progress",
        "store_info",
        "users",
    }


async def test_a_family_that_is_not_wholly_archived_is_not_deleted(
    family: tuple[Daemon, Client],
) -> None:
    daemon, client = family
    before = await daemon.database.read(dump)
    for name in ("a", "b", "d"):
        with pytest.raises(Refused) as refused:
            await client.delete_chat(name)
        assert refused.value.problem.transition == "delete"
    assert await daemon.database.read(dump) == before
    await client.delete_chat("c")
    with pytest.raises(Refused):
        await client.chat("c")


async def test_nothing_is_sent_to_an_archived_chat_and_archiving_twice_is_refused(
    family: tuple[Daemon, Client],
) -> None:
    daemon, client = family
    await client.change_chat("a", ARCHIVE)
    before = await daemon.database.read(dump)
    with pytest.raises(Refused) as refused:
        await client.change_chat("a", ARCHIVE)
    assert "already" in refused.value.problem.detail
    assert await daemon.database.read(dump) == before
