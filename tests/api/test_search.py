"""The search through a daemon: places, pages, owners, refusals, and an index that is behind."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from sqlalchemy import Connection, insert

from palaver.client import Client, Endpoint, Refused
from palaver.wire.actions import EditMessage, Fork
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.queue import ChangeChat
from palaver.wire.search import Hit
from palaverd import indexing
from palaverd.chatstate.states import State
from palaverd.daemon import Daemon
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.database import DatabaseError
from palaverd.store.search import fts5
from palaverd.store.search.engine import Indexed
from palaverd.store.search.engines import how_far
from palaverd.store.tables import users
from support.chats import rests
from support.clock import ManualClock, until
from support.daemon import make_daemon, running_pair, short_dir, simulator_config
from support.store import NOW, add_message, plant


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Daemon, Client]]:
    async with running_pair() as (daemon, client, _):
        yield daemon, client


def marked(hit: Hit) -> str:
    return "".join(f"[{span.text}]" if span.match else span.text for span in hit.snippet)


async def test_a_hit_is_the_chat_the_message_and_a_line_of_it(
    pair: tuple[Daemon, Client],
) -> None:
    daemon, client = pair
    sent = await client.create_chat(CreateChat("[[echo]] why does the relay hang", title="A timer"))
    chat = await rests(daemon, client, sent.chat.id)
    page = await client.search("RELAY")
    assert page.complete
    assert page.indexed == 1
    assert page.next_cursor is None
    answer, question = (await client.messages(chat.id)).messages
    assert {(hit.message_id, hit.role) for hit in page.hits} == {
        (question.id, "user"),
        (answer.id, "assistant"),
    }
    hit = next(hit for hit in page.hits if hit.role == "user")
    assert marked(hit) == "[[echo]] why does the [relay] hang"
    assert hit.created_at == question.created_at
    assert hit.chat == chat
    [title] = (await client.search("timer")).hits
    assert (title.chat.id, title.message_id, title.role) == (chat.id, None, None)
    assert marked(title) == "A [timer]"


async def test_what_is_changed_is_found_as_it_is_now(pair: tuple[Daemon, Client]) -> None:
    daemon, client = pair
    first = (await client.create_chat(CreateChat("[[length=3]] apple", title="one"))).chat
    chat = await rests(daemon, client, first.id)
    question = (await client.messages(chat.id)).messages[-1]

    async def places(words: str, **scope: bool) -> list[tuple[str, int | None]]:
        hits = (await client.search(words, **scope)).hits  # type: ignore[arg-type]
        return [(hit.chat.id, hit.message_id) for hit in hits]

    assert await places("apple") == [(chat.id, question.id)]
    edited = await client.edit_message(
        chat.id, question.id, EditMessage("[[length=3]] pear", chat.versions.history)
    )
    chat = await rests(daemon, client, chat.id)
    assert await places("apple") == []
    assert edited.message is not None
    assert await places("pear") == [(chat.id, edited.message.id)]

    fork = (await client.fork(chat.id, Fork(edited.message.id))).chat
    assert {found for found, _ in await places("pear")} == {chat.id, fork.id}
    await client.change_chat(fork.id, ChangeChat(title="two"))
    assert await places("two") == [(fork.id, None)]
    await client.change_chat(fork.id, ChangeChat(archived=True))
    assert {found for found, _ in await places("pear")} == {chat.id, fork.id}
    assert [found for found, _ in await places("pear", archived=False)] == [chat.id]
    assert [found for found, _ in await places("pear", archived=True)] == [fork.id]
    await client.delete_chat(fork.id)
    assert await places("two") == []
    assert {found for found, _ in await places("pear")} == {chat.id}
    # A queued message is not in the conversation yet.
    await client.send(chat.id, SendMessage("[[slow-first=600000]] plum"))
    await client.send(chat.id, SendMessage("[[length=3]] grape"))
    assert len(await places("plum")) == 1
    assert await places("grape") == []


async def test_pages_have_each_hit_once_in_the_order_of_one_page(
    pair: tuple[Daemon, Client],
) -> None:
    daemon, client = pair

    def write(connection: Connection) -> None:
        for number in range(4):
            row = plant(
                connection,
                State.W,
                chat_id=f"c{number}",
                owner=LOCAL_OWNER,
                title="relay" if number % 2 else "other",
            )
            for times in range(6):
                text = "relay " * (times % 3 + 1)
                add_message(connection, row, "user", [{"type": "text", "text": text}])

    await daemon.database.write(write)
    everything = (await client.search("relay", limit=100)).hits
    assert len(everything) == 2 + 4 * 6
    paged, cursor = [], None
    while True:
        page = await client.search("relay", limit=7, cursor=cursor)
        paged += page.hits
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.hits) == 7
    assert paged == everything
    once = (await client.search("relay", once=True, limit=100)).hits
    assert sorted(hit.chat.id for hit in once) == ["c0", "c1", "c2", "c3"]
    best: dict[str, Hit] = {}
    for hit in everything:
        best.setdefault(hit.chat.id, hit)
    assert once == list(best.values())
    within = (await client.search("relay", chat="c2", limit=100)).hits
    assert {hit.chat.id for hit in within} == {"c2"}
    assert len(within) == 6


async def test_nobody_finds_what_is_another_owners(pair: tuple[Daemon, Client]) -> None:
    daemon, client = pair

    def write(connection: Connection) -> None:
        connection.execute(insert(users).values(id="bob", created_at=NOW))
        row = plant(connection, State.W, chat_id="b", owner="bob", title="secretplan")
        add_message(connection, row, "user", [{"type": "text", "text": "secretplan"}])

    await daemon.database.write(write)
    assert (await client.search("secretplan")).hits == []
    assert (await client.chats(q="secretplan")).chats == []
    with pytest.raises(Refused) as refused:
        await client.search("secretplan", chat="b")
    assert refused.value.problem.code == "chat_not_found"


async def test_the_list_of_chats_is_searched_by_titles_and_messages(
    pair: tuple[Daemon, Client],
) -> None:
    daemon, client = pair

    async def create(content: str, title: str) -> str:
        sent = await client.create_chat(CreateChat(f"[[length=3]] {content}", title=title))
        await rests(daemon, client, sent.chat.id)
        return sent.chat.id

    by_text = await create("the relay hangs", "A question")
    by_title = await create("hello", "Relays and timers")
    await create("hello", "Something else")

    async def found(text: str) -> set[str]:
        return {chat.id for chat in (await client.chats(q=text)).chats}

    assert await found("relay") == {by_text, by_title}
    assert await found("elay") == {by_title}  # a part of a title, as always
    assert await found("ys an") == {by_title}
    assert await found("-hello") == set()
    assert await found('"') == set()


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ({"q": ""}, "q", "needs a word"),
        ({"q": "-relay"}, "q", "only words to exclude"),
        ({"q": "a " * 40}, "q", "at most 32 words"),
        ({"q": "relay d*"}, "q", "d* is too short"),
        ({}, "q", "q is missing"),
        ({"q": "a", "limit": "0"}, "limit", "limit is 0"),
        ({"q": "a", "limit": "101"}, "limit", "limit is 101"),
        ({"q": "a", "cursor": "nonsense"}, "cursor", "not one that this daemon gave"),
        ({"q": "a", "once": "maybe"}, "once", "once is"),
        ({"q": "a", "words": "b"}, "words", "There is no parameter words"),
    ],
)
async def test_a_bad_search_is_refused_with_its_reason(
    pair: tuple[Daemon, Client], query: dict[str, str], field: str, says: str
) -> None:
    with pytest.raises(Refused) as refused:
        await pair[1]._transport.request("GET", "/api/v1/search", dict, query=query)
    problem = refused.value.problem
    assert (problem.status, problem.code, problem.field) == (400, "bad_request", field)
    assert says in (problem.detail or "")


async def test_old_messages_are_indexed_while_the_daemon_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A database from before there was an index: a search says that it is not complete yet."""
    monkeypatch.setattr(fts5, "MESSAGES_AT_ONCE", 1)
    monkeypatch.setattr(fts5, "CHARACTERS_AT_ONCE", 1)
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, client, _):

        def write(connection: Connection) -> None:
            row = plant(connection, State.W, chat_id="c", owner=LOCAL_OWNER)
            for number in range(20):
                text = f"relay {number}"
                add_message(connection, row, "user", [{"type": "text", "text": text}])
            connection.exec_driver_sql("UPDATE search_progress SET low = 22, high = 21")

        await daemon.database.write(write)
        before = await client.search("relay")
        assert (before.hits, before.complete, before.indexed) == ([], False, 0)
        # What is new is found at once.
        await daemon.database.write(
            lambda c: add_message(
                c,
                plant(c, State.W, chat_id="d", owner=LOCAL_OWNER),
                "user",
                [{"type": "text", "text": "relay new"}],
            )
        )
        new = await client.search("relay")
        assert [hit.chat.id for hit in new.hits] == ["d"]
        assert not new.complete
        await until(lambda: indexing.FIRST_S in clock.waits())
        clock.advance(indexing.FIRST_S)
        shares = []
        while not (page := await client.search("relay", limit=100)).complete:
            shares.append(page.indexed)
            clock.advance(indexing.PAUSE_S)
        assert len(page.hits) == 21
        assert shares == sorted(shares)
        assert len(set(shares)) > 5
        assert page.indexed == 1


async def test_new_messages_are_indexed_without_a_search() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, _, _):
        await until(lambda: indexing.FIRST_S in clock.waits())
        clock.advance(indexing.FIRST_S)
        await until(lambda: indexing.EVERY_S in clock.waits())

        def write(connection: Connection) -> None:
            plant(connection, State.W, chat_id="c", owner=LOCAL_OWNER)

        await daemon.database.write(write)
        assert not (await daemon.database.read(how_far)).current
        clock.advance(indexing.EVERY_S)
        await until(lambda: any(wait < 2 * indexing.PAUSE_S for wait in clock.waits()))
        assert (await daemon.database.read(how_far)).complete


async def test_a_search_finds_what_it_can_if_the_index_cannot_be_written(
    pair: tuple[Daemon, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, client = pair
    sent = await client.create_chat(CreateChat("[[length=3]] relay"))
    await rests(daemon, client, sent.chat.id)
    assert len((await client.search("relay")).hits) == 2  # title and message

    def full(connection: Connection) -> Indexed:
        raise DatabaseError("The disk is full.")

    monkeypatch.setattr(indexing, "index_some", full)
    await client.send(sent.chat.id, SendMessage("[[length=3]] relay"))
    await rests(daemon, client, sent.chat.id)
    page = await client.search("relay")
    assert len(page.hits) == 2
    assert not page.complete


async def test_the_index_is_kept_by_a_writer_that_had_to_connect_anew() -> None:
    async with short_dir() as path, running_pair() as (_, _, simulator):
        daemon = make_daemon(path, simulator_config(simulator.url))
        await daemon.start()
        try:
            database = daemon.database

            def write(connection: Connection) -> None:
                plant(connection, State.XW, chat_id="c", owner=LOCAL_OWNER, title="relay")

            await database.write(write)
            await indexing.catch_up(database)
            assert database._writer is not None
            database._writer._connection = None  # as after a rollback that failed
            async with Client(Endpoint(socket=daemon.socket)) as client:
                await client.delete_chat("c")
                assert (await client.search("relay")).hits == []
        finally:
            await daemon.stop()
        with closing(sqlite3.connect(path / "palaver.db")) as file:
            assert file.execute("SELECT count(*) FROM search_index_docsize").fetchone() == (0,)
