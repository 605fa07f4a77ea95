"""Labels, pins and read cursors over HTTP, and what clients that watch the list see of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from palaver.client import Client, Endpoint, Refused
from palaver.client.connection_events import Connected, ConnectionLost
from palaver.wire.actions import Fork
from palaver.wire.chats import LABEL_LIMIT, PIN_LIMIT, CreateChat, SendMessage
from palaver.wire.events import ChatUpdated, ListSnapshot, WatchEvent
from palaver.wire.queue import ChangeChat, ReadChat
from palaverd.chatstate.states import State
from palaverd.daemon import Daemon
from support.chats import plant_member, reaches, rests
from support.clock import PATIENCE_S
from support.daemon import running_pair


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair() -> AsyncIterator[tuple[Daemon, Client]]:
    async with running_pair() as (daemon, client, _):
        yield daemon, client


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def trio(pair: tuple[Daemon, Client]) -> AsyncIterator[tuple[Daemon, Client]]:
    """The daemon with the idle chats a, b and c, of which b is the newest."""
    daemon, client = pair

    def plant(connection: Any) -> None:
        for place, chat_id in enumerate("acb"):
            plant_member(connection, State.W, chat_id, root=chat_id)
            connection.exec_driver_sql(
                "UPDATE chats SET updated_at = updated_at + ? WHERE id = ?", (place, chat_id)
            )

    await daemon.database.write(plant)
    yield daemon, client
    for chat_id in "abc":
        await client.change_chat(chat_id, ChangeChat(archived=True))
        await client.delete_chat(chat_id)


async def listed(client: Client, **wanted: Any) -> str:
    page = await client.chats(**wanted)
    return "".join(chat.id for chat in page.chats if len(chat.id) == 1)


@asynccontextmanager
async def watching(client: Client) -> AsyncIterator[Any]:
    """Yield a function that returns the next events of the list; the snapshot was read."""
    async with aclosing(client.watch()) as batches:

        async def following() -> list[WatchEvent]:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    batch = await anext(batches)
                    found = [e for e in batch if not isinstance(e, Connected | ConnectionLost)]
                    if found:
                        return found

        first = await following()
        assert isinstance(first[0], ListSnapshot)
        yield following


async def test_labels_are_changed_one_by_one_and_listed(trio: tuple[Daemon, Client]) -> None:
    _, client = trio
    await client.change_chat("a", ChangeChat(labels={"team": "docs", "urgent": ""}))
    # Another client knows nothing of these.
    await client.change_chat("a", ChangeChat(labels={"team": "infra", "größe": "s"}))
    chat = await client.change_chat(
        "a", ChangeChat(title="new", labels={"urgent": None, "x": None})
    )
    assert chat.labels == {"team": "infra", "größe": "s"}
    assert chat.title == "new"
    await client.change_chat("b", ChangeChat(labels={"team": "docs"}))
    assert await listed(client, labels=["team"]) == "ba"
    assert await listed(client, labels=["team=docs"]) == "b"
    assert await listed(client, labels=["team=infra", "größe"]) == "a"
    assert await listed(client, labels=["team"], statuses=["error", "running"]) == ""
    assert await listed(client, labels=["team"], statuses=["error", "waiting"]) == "ba"


@pytest.mark.parametrize("name", ["", "-a", "a=b", 'a"b', "a b", "x" * 65, "a\n"])
async def test_a_label_that_no_filter_could_name_is_refused(
    trio: tuple[Daemon, Client], name: str
) -> None:
    _, client = trio
    for request in (
        client.change_chat("a", ChangeChat(labels={name: "x"})),
        client.create_chat(CreateChat("[[echo]] x", labels={name: "x"})),
    ):
        with pytest.raises(Refused) as refused:
            await request
        assert refused.value.problem.status == 400
        assert "letters, digits" in refused.value.problem.detail
    assert (await client.chat("a")).labels == {}


async def test_there_are_limits_of_labels(trio: tuple[Daemon, Client]) -> None:
    _, client = trio
    full = {f"n{number}": "" for number in range(LABEL_LIMIT)}
    await client.change_chat("a", ChangeChat(labels=dict(full)))
    with pytest.raises(Refused, match="at most 32 labels"):
        await client.change_chat("a", ChangeChat(labels={"more": ""}))
    with pytest.raises(Refused, match="at most 200 characters"):
        await client.change_chat("a", ChangeChat(labels={"n0": "x" * 201}))
    swapped = await client.change_chat("a", ChangeChat(labels={"more": "", "n0": None}))
    assert len(swapped.labels) == LABEL_LIMIT


async def test_a_list_asks_for_as_many_labels_as_a_chat_has(trio: tuple[Daemon, Client]) -> None:
    _, client = trio
    full = {f"n{number}": "" for number in range(LABEL_LIMIT)}
    await client.change_chat("a", ChangeChat(labels=dict(full)))
    assert await listed(client, labels=list(full)) == "a"
    for many in (LABEL_LIMIT + 1, 1010):
        with pytest.raises(Refused) as refused:
            await client.chats(labels=["a"] * many)
        problem = refused.value.problem
        assert (problem.status, problem.field) == (400, "label")


async def test_an_unknown_status_is_refused_with_the_known_ones(
    trio: tuple[Daemon, Client],
) -> None:
    _, client = trio
    with pytest.raises(Refused, match="requires_action"):
        await client.chats(statuses=["failed"])  # type: ignore[list-item]


async def test_pinned_chats_come_first_in_every_list_and_watchers_see_each_move(
    trio: tuple[Daemon, Client],
) -> None:
    _, client = trio
    assert await listed(client) == "bca"
    async with watching(client) as following:
        await client.change_chat("a", ChangeChat(pin_order=0))
        [moved] = await following()
        assert (moved.chat.id, moved.fields) == ("a", ["pin_order"])
        assert await listed(client) == "abc"
        await client.change_chat("c", ChangeChat(pin_order=0))
        seen: dict[str, int | None] = {}
        while len(seen) < 2:
            seen |= {e.chat.id: e.chat.pin_order for e in await following()}
        assert seen == {"c": 0, "a": 1}
    assert await listed(client) == "cab"
    # In the snapshot, too, although a is the oldest.
    async with aclosing(client.watch()) as batches:
        async for batch in batches:
            for event in batch:
                if isinstance(event, ListSnapshot):
                    assert [c.id for c in event.chats if len(c.id) == 1] == ["c", "a", "b"]
                    break
            else:
                continue
            break
    assert (await client.change_chat("c", ChangeChat(pin_order=None))).pin_order is None
    assert await listed(client) == "abc"


async def test_two_clients_that_pin_at_once_end_in_one_order(trio: tuple[Daemon, Client]) -> None:
    daemon, client = trio
    async with Client(Endpoint(socket=daemon.socket)) as other:
        for _ in range(5):
            await asyncio.gather(
                *(client.change_chat(name, ChangeChat(pin_order=0)) for name in "abc"),
                *(other.change_chat(name, ChangeChat(pin_order=0)) for name in "cba"),
            )
            page = await other.chats()
            orders = [chat.pin_order for chat in page.chats if len(chat.id) == 1]
            assert orders == [0, 1, 2]


async def test_too_many_pins_are_refused_with_what_to_do(trio: tuple[Daemon, Client]) -> None:
    daemon, client = trio
    await daemon.database.write(
        lambda c: [plant_member(c, State.W, f"pin{n}", root=f"pin{n}") for n in range(PIN_LIMIT)]
    )
    await daemon.database.write(
        lambda c: c.exec_driver_sql("UPDATE chats SET pin_order = 7 WHERE id LIKE 'pin%'")
    )
    with pytest.raises(Refused, match="unpin another") as refused:
        await client.change_chat("a", ChangeChat(title="not this", pin_order=0))
    assert refused.value.problem.status == 400
    assert (await client.chat("a")).title != "not this"
    await daemon.database.write(
        lambda c: c.exec_driver_sql("DELETE FROM chats WHERE id LIKE 'pin%'")
    )


async def test_archiving_is_combined_with_neither_labels_nor_pins(
    trio: tuple[Daemon, Client],
) -> None:
    _, client = trio
    for change in (
        ChangeChat(archived=True, labels={"a": "b"}),
        ChangeChat(archived=True, pin_order=None),
    ):
        with pytest.raises(Refused, match="of its own"):
            await client.change_chat("a", change)


async def test_an_answer_is_unread_until_one_client_reports_it_and_then_for_no_client(
    pair: tuple[Daemon, Client],
) -> None:
    daemon, client = pair
    sent = await client.create_chat(CreateChat("[[echo]] one"))
    chat_id = sent.chat.id
    assert not sent.chat.unread
    chat = await rests(daemon, client, chat_id)
    assert chat.unread
    assert chat_id in {one.id for one in (await client.chats(unread=True)).chats}
    async with (
        Client(Endpoint(socket=daemon.socket)) as other,
        watching(other) as following,
    ):
        read = await client.mark_read(chat_id, ReadChat(chat.versions.snapshot))
        assert not read.unread
        assert read.updated_at == chat.updated_at
        [event] = [e for e in await following() if e.chat.id == chat_id]
        assert isinstance(event, ChatUpdated)
        assert (event.fields, event.chat.unread) == (["unread"], False)
    assert chat_id not in {one.id for one in (await client.chats(unread=True)).chats}


async def test_a_report_about_an_older_state_does_not_hide_what_came_since(
    pair: tuple[Daemon, Client],
) -> None:
    daemon, client = pair
    chat_id = (await client.create_chat(CreateChat("[[echo]] one"))).chat.id
    seen = (await rests(daemon, client, chat_id)).versions.snapshot
    await client.send(chat_id, SendMessage("[[echo]] two"))
    await reaches(client, chat_id, "waiting")
    assert (await client.mark_read(chat_id, ReadChat(seen))).unread
    assert not (await client.mark_read(chat_id, ReadChat())).unread
    assert not (await client.mark_read(chat_id, ReadChat(seen))).unread


async def test_clients_that_report_the_same_chat_cost_one_change(
    pair: tuple[Daemon, Client],
) -> None:
    daemon, client = pair
    chat_id = (await client.create_chat(CreateChat("[[echo]] one"))).chat.id
    before = (await rests(daemon, client, chat_id)).versions.snapshot
    reports = [client.mark_read(chat_id, ReadChat(before)) for _ in range(10)]
    answers = await asyncio.gather(*reports)
    assert {chat.versions.snapshot for chat in answers} == {before + 1}


async def test_a_failed_answer_is_unread_and_a_fork_is_not(pair: tuple[Daemon, Client]) -> None:
    daemon, client = pair
    failed = (await client.create_chat(CreateChat("[[401]] x"))).chat.id
    assert (await reaches(client, failed, "error")).unread
    chat_id = (await client.create_chat(CreateChat("[[echo]] x"))).chat.id
    await rests(daemon, client, chat_id)
    last = (await client.messages(chat_id)).messages[0]
    assert not (await client.fork(chat_id, Fork(last.id))).chat.unread


async def test_requests_leave_out_what_is_not_changed() -> None:
    assert msgspec.json.encode(ChangeChat(title="x")) == b'{"title":"x"}'
    assert msgspec.json.encode(ChangeChat(pin_order=None)) == b'{"pin_order":null}'
    assert msgspec.json.encode(ReadChat()) == b"{}"
