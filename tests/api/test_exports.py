"""Exports and imports of a running daemon: streamed, consistent, and no trace of failed ones."""

from __future__ import annotations

import asyncio
import gc
import io
import socket
import threading
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from math import inf
from pathlib import Path

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import Connection, insert, select, update

from palaver.client import Client, Refused, Unreachable
from palaver.client.saving import save
from palaver.wire.actions import ClearContext, EditMessage
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.errors import Problem
from palaver.wire.exports import EXPORT_KINDS, IMPORT_LIMIT, ExportKind, ImportChat, ImportedText
from palaver.wire.messages import Text
from palaver.wire.queue import ChangeChat
from palaverd.api.limits import BODY_S, SEND_STALL_S
from palaverd.chatstate.states import State
from palaverd.config.types import WorkerConfig
from palaverd.daemon import Daemon
from palaverd.file_folder import FileFolder
from palaverd.store import codec
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.database import DatabaseError
from palaverd.store.tables import messages
from support.chats import assert_well, history, rests
from support.clock import ManualClock, until
from support.daemon import running_pair
from support.store import NOW, dump, plant

WHEN = datetime(2030, 1, 2, tzinfo=UTC)
Pair = tuple[Daemon, Client]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair() -> AsyncIterator[Pair]:
    """A daemon that runs no chat; each test plants a chat of its own."""
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        yield daemon, client


def plant_long(connection: Connection, chat_id: str, count: int, text: str = "x") -> None:
    """Insert a chat with `count` more messages of a text."""
    row = plant(connection, State.W, chat_id=chat_id, owner=LOCAL_OWNER)
    parts = codec.dumps([Text(text)])
    of_chat = {
        "chat_id": chat_id,
        "role": "assistant",
        "visibility": "both",
        "content_version": 1,
        "parts": parts,
        "revision": row.snapshot_version,
        "deleted": False,
        "boundary": False,
        "created_at": NOW,
    }
    connection.execute(insert(messages), [of_chat] * count)


async def whole(client: Client, chat_id: str) -> ImportChat:
    text = b"".join([piece async for piece in client.export_chat(chat_id, "json")])
    return msgspec.json.decode(text, type=ImportChat)


def counts(connection: Connection) -> dict[str, int]:
    """Return the number of rows of each table: the chats of other tests may go on."""
    return {table: len(rows) for table, rows in dump(connection).items()}


def leftovers(daemon: Daemon) -> list[Path]:
    folder = daemon.files.path_of("")
    return list(folder.iterdir()) if folder.exists() else []


def arrived(daemon: Daemon) -> int:
    """Return the bytes of a body that were written so far."""
    return sum(one.stat().st_size for one in leftovers(daemon))


@pytest.mark.asyncio(loop_scope="module")
async def test_an_export_is_a_file_for_browsers_and_never_a_page(pair: Pair) -> None:
    daemon, client = pair
    sent = await client.create_chat(CreateChat("x", title='a "b"/../ü\r\nSet-Cookie: c'))
    connector = aiohttp.UnixConnector(str(daemon.socket))
    path = f"http://localhost/api/v1/chats/{sent.chat.id}/export"
    async with aiohttp.ClientSession(connector=connector) as session:
        for query, kind, ending in [
            ("", "text/markdown", "md"),
            ("?format=md", "text/markdown", "md"),
            ("?format=json", "application/json", "json"),
        ]:
            async with session.get(path + query) as response:
                assert response.status == 200
                assert response.content_type == kind
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Content-Disposition"] == (
                    "attachment; filename*=UTF-8''a%20%22b%22%2F..%2F%C3%BC%0D%0A"
                    f"Set-Cookie%3A%20c.{ending}"
                )
                assert await response.read()
            async with session.head(path + query) as response:
                assert (response.status, await response.read()) == (200, b"")
        async with session.get(path + "?format=pdf") as response:
            problem = msgspec.json.decode(await response.read(), type=Problem)
            assert (response.status, problem.field) == (400, "format")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_long_chat_is_never_in_memory_as_a_whole(pair: Pair, tmp_path: Path) -> None:
    daemon, client = pair
    text, count = "x" * 4000, 2_500
    cases: list[tuple[ExportKind, bytes]] = [("json", b"\n]}\n"), ("md", b"x\n")]
    for kind, ending in cases:
        plants = partial(plant_long, chat_id=f"long {kind}", count=count, text=text)
        await daemon.database.write(plants)
        path = tmp_path / kind
        gc.collect()
        tracemalloc.start()
        try:
            await save(client.export_chat(f"long {kind}", kind), path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        written = path.read_bytes()
        assert written.count(text.encode()) == count
        assert written.endswith(ending)
        # A few pages of 200 KB, of daemon and client together.
        assert peak < 4_000_000, f"{peak} bytes"


@pytest.mark.asyncio(loop_scope="module")
async def test_an_export_is_the_chat_as_it_was_when_it_began(pair: Pair) -> None:
    daemon, client = pair
    await daemon.database.write(lambda c: plant_long(c, "edited", 200, "x" * 5000))
    export = client.export_chat("edited", "json")
    begun = await anext(export)
    first = (await client.messages("edited", after_id=0, limit=1)).messages[0]
    version = (await client.chat("edited")).versions.history
    edited = await client.edit_message("edited", first.id, EditMessage("other", version))
    assert len(edited.dropped) == 201
    found = msgspec.json.decode(b"".join([begun, *[p async for p in export]]), type=ImportChat)
    assert len(found.messages) == 201
    assert [one.parts for one in (await whole(client, "edited")).messages] == [
        [ImportedText("other")]
    ]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_read_that_fails_in_the_middle_leaves_no_document_that_seems_whole(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, client = pair
    await daemon.database.write(lambda c: plant_long(c, "torn", 200, "x" * 5000))
    reads, read = 0, daemon.database.read

    async def failing(work: object) -> object:
        nonlocal reads
        reads += 1
        if reads > 2:
            raise DatabaseError("The disk is gone.")
        return await read(work)  # type: ignore[arg-type]

    monkeypatch.setattr(daemon.database, "read", failing)
    with pytest.raises(Unreachable):
        await save(client.export_chat("torn", "json"), tmp_path / "torn.json")
    assert list(tmp_path.iterdir()) == []


async def _piece() -> AsyncGenerator[bytes]:
    yield b"new"


async def test_a_link_stays_one_and_its_file_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "a.md").write_text("old")
    link = tmp_path / "link.md"
    link.symlink_to(folder / "a.md")
    await save(_piece(), link)
    assert link.is_symlink()
    assert (folder / "a.md").read_bytes() == b"new"
    assert [len(list(one.iterdir())) for one in (tmp_path, folder)] == [2, 1]


async def test_a_file_may_have_the_longest_name_that_there_is(tmp_path: Path) -> None:
    path = tmp_path / f"{'n' * 252}.md"
    await save(_piece(), path)
    assert path.read_bytes() == b"new"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_chat_that_is_deleted_in_the_middle_leaves_no_document_that_seems_whole(
    pair: Pair,
) -> None:
    daemon, client = pair
    await daemon.database.write(lambda c: plant_long(c, "gone", 500, "x" * 20_000))
    export = client.export_chat("gone", "json")
    await anext(export)
    await client.change_chat("gone", ChangeChat(archived=True))
    await client.delete_chat("gone")
    with pytest.raises(Unreachable):
        async for _piece in export:
            pass


@pytest.mark.asyncio(loop_scope="module")
async def test_an_import_is_a_chat_of_its_own_that_can_go_on(pair: Pair) -> None:
    daemon, client = pair
    await daemon.database.write(lambda c: plant_long(c, "source", 120))
    text = b"".join([piece async for piece in client.export_chat("source", "json")])
    imported = (await client.import_chat(io.BytesIO(text), key="i1")).chat
    assert (imported.status, imported.title, imported.unread) == ("waiting", "t", False)
    again = await client.import_chat(io.BytesIO(text), key="i1")
    assert (again.repeated, again.chat.id) == (True, imported.id)
    assert (await client.import_chat(io.BytesIO(text))).chat.id != imported.id
    with pytest.raises(Refused) as refused:
        await client.import_chat(io.BytesIO(text.replace(b'"title":"t"', b'"title":"u"')), key="i1")
    assert refused.value.problem.code == "idempotency_key_reused"
    first, second = await whole(client, "source"), await whole(client, imported.id)
    assert (first.chat, first.messages) == (second.chat, second.messages)
    await client.send(imported.id, SendMessage("and?"))
    assert (await client.chat(imported.id)).status == "pending"
    await assert_well(daemon, imported.id)
    assert leftovers(daemon) == []


async def test_what_was_imported_is_what_the_model_sees() -> None:
    async with running_pair() as (daemon, client, simulator):
        sent = await client.create_chat(CreateChat(content="[[echo]] a secret"))
        chat = await rests(daemon, client, sent.chat.id)
        await client.clear(chat.id, ClearContext(chat.versions.history))
        await client.send(chat.id, SendMessage("[[echo]] the first words"))
        await rests(daemon, client, sent.chat.id)
        text = b"".join([piece async for piece in client.export_chat(sent.chat.id, "json")])
        imported = (await client.import_chat(io.BytesIO(text))).chat
        await client.send(imported.id, SendMessage("[[echo]] more"))
        await rests(daemon, client, imported.id)
        assert (await history(client, imported.id))[-1] == ("assistant", "more")
        seen = str(simulator.requests[-1].body["messages"])
        assert "the first words" in seen
        assert "secret" not in seen  # the context was cleared after it


@pytest.mark.asyncio(loop_scope="module")
async def test_a_bad_import_changes_nothing_and_leaves_nothing(pair: Pair) -> None:
    daemon, client = pair
    before = await daemon.database.read(counts)
    for text, field in [
        (b'{"format":"palaver-chat","version":1}', "chat"),
        (b"# no JSON", None),
    ]:
        with pytest.raises(Refused) as refused:
            await client.import_chat(io.BytesIO(text))
        assert (refused.value.problem.status, refused.value.problem.field) == (400, field)
    assert await daemon.database.read(counts) == before
    assert leftovers(daemon) == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("announced", [True, False])
async def test_an_import_that_is_too_large_is_refused(pair: Pair, announced: bool) -> None:
    daemon, _ = pair
    size = IMPORT_LIMIT + 1

    async def many() -> AsyncIterator[bytes]:
        for _piece in range(size // 2**20 + 1):
            yield b" " * 2**20

    connector = aiohttp.UnixConnector(str(daemon.socket))
    async with aiohttp.ClientSession(connector=connector) as session:
        request = session.post(
            "http://localhost/api/v1/imports",
            data=many(),
            headers={"Content-Length": str(size)} if announced else {},
        )
        async with request as response:
            problem = msgspec.json.decode(await response.read(), type=Problem)
    assert (response.status, problem.code) == (413, "too_large")
    assert "64 MiB" in problem.detail
    await until(lambda: leftovers(daemon) == [])


async def test_a_body_that_is_cut_or_never_ends_leaves_nothing() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=WorkerConfig(enabled=False)) as (daemon, _, _sim):
        for late in (False, True):
            with socket.socket(socket.AF_UNIX) as peer:
                await asyncio.to_thread(peer.connect, str(daemon.socket))
                await asyncio.to_thread(
                    peer.sendall,
                    b"POST /api/v1/imports HTTP/1.1\r\nHost: localhost\r\n"
                    b"Content-Length: 3000000\r\n\r\n" + b" " * 1_200_000,
                )
                await until(lambda: arrived(daemon) >= 2**20 and daemon.connections.working == 0)
                if late:
                    clock.advance(BODY_S)
                    answer = await asyncio.to_thread(peer.recv, 4096)
                    assert b" 408 " in answer.splitlines()[0]
            await until(lambda: leftovers(daemon) == [])


async def test_a_client_that_takes_nothing_is_closed() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock, worker=WorkerConfig(enabled=False)) as (daemon, _, _sim):
        await daemon.database.write(lambda c: plant_long(c, "stalled", 500, "x" * 20_000))
        with socket.socket(socket.AF_UNIX) as peer:
            await asyncio.to_thread(peer.connect, str(daemon.socket))
            peer.sendall(b"GET /api/v1/chats/stalled/export HTTP/1.1\r\nHost: localhost\r\n\r\n")
            # More than asyncio buffers for a writer that does not wait.
            await until(lambda: daemon.connections.unsent > 2**16)
            clock.advance(SEND_STALL_S - 1)
            assert daemon.connections.working == 1
            clock.advance(1)
            await until(lambda: len(daemon.connections) == 0)


@pytest.mark.asyncio(loop_scope="module")
async def test_what_users_never_see_is_in_no_export(pair: Pair) -> None:
    daemon, client = pair

    def planted(connection: Connection) -> None:
        plant_long(connection, "private", 1, "shown")
        plant_long(connection, "other", 1, "another chat's")
        of_chat = messages.c.chat_id == "private"
        connection.execute(update(messages).where(of_chat).values(private='{"0":"signature"}'))
        row = dict(connection.execute(select(messages).where(of_chat).limit(1)).mappings().one())
        del row["id"]
        hidden = {"visibility": "model", "parts": codec.dumps([Text("for the model")])}
        dropped = {"deleted": True, "parts": codec.dumps([Text("dropped before")])}
        connection.execute(insert(messages).values(row | hidden))
        connection.execute(insert(messages).values(row | dropped))

    await daemon.database.write(planted)
    for kind in EXPORT_KINDS:
        text = b"".join([piece async for piece in client.export_chat("private", kind)])
        assert b"shown" in text
        for secret in (b"signature", b"for the model", b"dropped before", b"another chat"):
            assert secret not in text


async def test_an_import_that_is_cancelled_at_any_moment_leaves_no_file(tmp_path: Path) -> None:
    folder = FileFolder(tmp_path / "files")

    async def receive() -> None:
        async with folder.receive() as received:
            await received.write(b"x")

    for turns in range(12):
        receiving = asyncio.create_task(receive())
        for _turn in range(turns):
            await asyncio.sleep(0.0002)
        receiving.cancel()
        with suppress(asyncio.CancelledError):
            await receiving
        assert not list((tmp_path / "files").glob("*"))


async def test_a_file_is_removed_even_if_that_is_cancelled(tmp_path: Path) -> None:
    folder, full, busy = FileFolder(tmp_path / "files"), asyncio.Event(), threading.Event()
    pool = ThreadPoolExecutor(max_workers=1)
    asyncio.get_running_loop().set_default_executor(pool)

    async def receive() -> None:
        async with folder.receive() as received:
            await received.write(b"x")
            pool.submit(busy.wait)  # no thread is free for the removal
            full.set()

    receiving = asyncio.create_task(receive())
    await full.wait()
    for _turn in range(5):
        await asyncio.sleep(0)
    receiving.cancel()
    await asyncio.sleep(0)
    busy.set()
    with pytest.raises(asyncio.CancelledError):
        await receiving
    assert not list((tmp_path / "files").glob("*"))
    assert not await folder.names(inf)
