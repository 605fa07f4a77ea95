"""Files that clients send: stored whole or not at all, for their owner, never run by browsers."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import os
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from PIL import Image
from sqlalchemy import Connection

from palaver.client import Client, Endpoint, PalaverError, Refused, Unreachable
from palaver.wire.errors import Problem
from palaver.wire.files import FILE_LIMIT, StoredFile
from palaverd.config.addresses import ListenAddress
from palaverd.config.types import RetentionConfig, WorkerConfig
from palaverd.daemon import Daemon
from palaverd.file_folder import FileFolder, FolderError, ReceivedFile
from palaverd.retention import UNKNOWN_S
from palaverd.store.database import DatabaseError
from support.clock import PATIENCE_S, ManualClock, result_of, until
from support.daemon import make_daemon, running_pair, short_dir, simulator_config
from support.store import dump
from support.tokens import make_token, make_user

Pair = tuple[Daemon, Client]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair() -> AsyncIterator[Pair]:
    """A daemon whose files the tests of this module share."""
    async with running_pair(worker=WorkerConfig(enabled=False)) as (daemon, client, _):
        yield daemon, client


pytestmark = pytest.mark.asyncio(loop_scope="module")


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 3)).save(file, kind)
    return file.getvalue()


def stored(daemon: Daemon) -> set[str]:
    """Return the names in the directory of files."""
    folder = daemon.files.path_of("")
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def rows(connection: Connection) -> set[str]:
    return {row[0] for row in dump(connection)["files"]}


async def content(client: Client, file: StoredFile) -> bytes:
    return await whole(client, file.id)


async def whole(client: Client, file_id: str) -> bytes:
    return b"".join([piece async for piece in client.file(file_id)])


GOOD = [
    ("image/png", picture("PNG")),
    ("image/jpeg", picture("JPEG")),
    ("image/gif", picture("GIF")),
    ("image/webp", picture("WEBP")),
    ("application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"),
    ("text/plain", "Grüße\r\n\tund mehr \x1b[1m".encode()),
    ("text/plain", b"<!DOCTYPE html><html><script>alert(1)</script>"),
    ("text/plain", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
    ("text/plain", ("ü" * 300_000).encode()),  # pieces end within a character
    ("text/plain", b"see \x7f"),
]
BAD = [
    picture("BMP"),
    b"PK\x03\x04" + bytes(30),
    b"\x7fELF\x02\x01\x01" + bytes(50),
    b"RIFF\x24\x00\x00\x00WAVEfmt ",
    b"a\x00b",
    b"\xff\xfe",
    "half of ü".encode()[:-1],
    ("x" * 300_000).encode() + b"\x00",
]


@pytest.mark.parametrize(("media_type", "data"), GOOD, ids=range(len(GOOD)))
async def test_the_content_says_the_type_and_comes_back_as_it_was(
    pair: Pair, media_type: str, data: bytes
) -> None:
    daemon, client = pair
    file = await client.send_file("a.png", io.BytesIO(data))
    assert (file.media_type, file.size, file.name) == (media_type, len(data), "a.png")
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert await content(client, file) == data
    path = daemon.files.path_of(file.id)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("data", [*BAD, b""], ids=range(len(BAD) + 1))
async def test_other_content_is_refused_and_leaves_nothing(pair: Pair, data: bytes) -> None:
    daemon, client = pair
    before = stored(daemon)
    with pytest.raises(Refused) as refused:
        await client.send_file("a.png", io.BytesIO(data))
    assert refused.value.problem.status == 400
    assert refused.value.problem.code == ("unknown_type" if data else "bad_request")
    assert stored(daemon) == before == await daemon.database.read(rows)


async def test_the_same_file_is_stored_once(pair: Pair) -> None:
    daemon, client = pair
    first = await client.send_file("one.txt", io.BytesIO(b"the same"))
    assert await client.send_file("one.txt", io.BytesIO(b"the same")) == first
    other = await client.send_file("two.txt", io.BytesIO(b"the same"))
    assert (other.id != first.id, other.sha256) == (True, first.sha256)
    assert stored(daemon) == await daemon.database.read(rows)


async def test_a_file_whose_content_is_missing_can_be_sent_again(pair: Pair) -> None:
    daemon, client = pair
    file = await client.send_file("lost", io.BytesIO(b"lost and found"))
    daemon.files.path_of(file.id).unlink()  # as after a restore of the database alone
    with pytest.raises(Refused, match="missing") as refused:
        await content(client, file)
    # Paths are for administrators.
    assert str(daemon.files.path_of("").parent) not in refused.value.problem.detail
    assert await client.send_file("lost", io.BytesIO(b"lost and found")) == file
    assert await content(client, file) == b"lost and found"
    assert stored(daemon) == await daemon.database.read(rows)


async def test_a_browser_saves_it_and_never_runs_it(pair: Pair) -> None:
    daemon, client = pair
    file = await client.send_file('"x\r\n.html', io.BytesIO(b"<script>alert(1)</script>"))
    connector = aiohttp.UnixConnector(str(daemon.socket))
    url = f"http://localhost/api/v1/files/{file.id}"
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(url) as response:
            headers = response.headers
            assert headers["Content-Type"] == "text/plain; charset=utf-8"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
            name = "%22x%0D%0A.html"
            assert headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{name}"
        async with session.head(url) as response:
            assert (response.status, response.headers["Content-Length"]) == (200, "25")


async def test_a_part_of_a_file_and_what_a_client_has_already(pair: Pair) -> None:
    daemon, client = pair
    file = await client.send_file("digits", io.BytesIO(b"0123456789"))
    connector = aiohttp.UnixConnector(str(daemon.socket))
    url = f"http://localhost/api/v1/files/{file.id}"
    async with aiohttp.ClientSession(connector=connector) as session:
        for asked, status, got, part in [
            ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
            ("bytes=7-", 206, b"789", "bytes 7-9/10"),
            ("bytes=-3", 206, b"789", "bytes 7-9/10"),
            ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
            ("bytes=0-", 200, b"0123456789", None),
            ("bytes=-99", 200, b"0123456789", None),
        ]:
            async with session.get(url, headers={"Range": asked}) as response:
                assert (response.status, await response.read()) == (status, got), asked
                assert response.headers.get("Content-Range") == part
        for asked in ("bytes=10-", "bytes=5-2", "bytes=-", "bytes=x"):
            async with session.get(url, headers={"Range": asked}) as response:
                problem = msgspec.json.decode(await response.read(), type=Problem)
                assert (response.status, problem.code) == (416, "no_such_range"), asked
                assert response.headers["Content-Range"] == "bytes */10"
        tag = f'"{file.sha256}"'
        for headers, status in [
            ({"Range": "pages=1"}, 200),  # a unit that is not known is ignored (RFC 9110, 14.2)
            ({"Range": "2-4"}, 200),
            ({"Range": "bytes=2-4,6-7"}, 200),
            ({"Range": "bytes=2-4", "If-Range": '"another"'}, 200),
            ({"Range": "bytes=2-4", "If-Range": "Sun, 06 Nov 1994 08:49:37 GMT"}, 200),
            ({"Range": "bytes=2-4", "If-Range": tag}, 206),
            ({"Range": "BYTES=2-4"}, 206),
        ]:
            async with session.get(url, headers=headers) as response:
                whole = b"0123456789" if status == 200 else b"234"
                assert (response.status, await response.read()) == (status, whole), headers
        async with session.head(url, headers={"Range": "bytes=2-4"}) as response:
            assert (response.status, response.headers["Content-Length"]) == (200, "10")
        for tag in (f'"{file.sha256}"', f'W/"x", "{file.sha256}"', "*"):
            async with session.get(url, headers={"If-None-Match": tag}) as response:
                assert (response.status, await response.read()) == (304, b"")
                assert response.headers["ETag"] == f'"{file.sha256}"'
        async with session.get(url, headers={"If-None-Match": '"x"'}) as response:
            assert response.status == 200


async def test_a_content_that_was_cut_is_never_taken_for_the_whole(pair: Pair) -> None:
    daemon, client = pair
    file = await client.send_file("cut", io.BytesIO(b"x" * 300_000))
    os.truncate(daemon.files.path_of(file.id), 280_000)
    with pytest.raises(Unreachable):
        async with asyncio.timeout(PATIENCE_S):
            await content(client, file)


async def test_nobody_but_its_owner_can_read_it() -> None:
    config = simulator_config("http://127.0.0.1:1", worker=WorkerConfig(enabled=False))
    async with short_dir() as folder:
        daemon = make_daemon(folder, config, listen=[ListenAddress("127.0.0.1", 0)])
        await daemon.start()
        try:
            await make_user(daemon, "eve")
            token = (await make_token(daemon, user="eve")).secret
            base = f"http://{daemon.listening[0]}"
            async with (
                Client(Endpoint(socket=daemon.socket)) as own,
                Client(Endpoint(base=base, token=token)) as other,
            ):
                file = await own.send_file("a", io.BytesIO(b"secret"))
                for client, file_id in [(other, file.id), (own, "../palaver.db"), (own, "x")]:
                    with pytest.raises(Refused) as refused:
                        await whole(client, file_id)
                    assert refused.value.problem.code in {"file_not_found", "not_found"}
                # The same content is another file.
                theirs = await other.send_file("a", io.BytesIO(b"secret"))
                assert theirs.id != file.id
                with pytest.raises(Refused):
                    await whole(own, theirs.id)
        finally:
            await daemon.stop()


async def test_a_file_that_is_too_large_is_refused(pair: Pair) -> None:
    daemon, client = pair
    before = stored(daemon)
    most = await client.send_file("most", io.BytesIO(b"x" * FILE_LIMIT))
    assert most.size == FILE_LIMIT
    try:
        with pytest.raises(Refused) as refused:
            await client.send_file("more", io.BytesIO(b"x" * (FILE_LIMIT + 1)))
        assert (refused.value.problem.status, refused.value.problem.code) == (413, "too_large")
        assert "10 MiB" in refused.value.problem.detail
    except Unreachable:
        pass  # the answer came while the rest was being sent
    await until(lambda: stored(daemon) == before | {most.id})


async def test_an_upload_that_is_cut_leaves_nothing(pair: Pair) -> None:
    daemon, _ = pair
    before = stored(daemon)
    with socket.socket(socket.AF_UNIX) as peer:
        await asyncio.to_thread(peer.connect, str(daemon.socket))
        await asyncio.to_thread(
            peer.sendall,
            b"POST /api/v1/files?name=a HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 3000000\r\n\r\n" + b"x" * 1_200_000,
        )
        await until(lambda: stored(daemon) != before)
    await until(lambda: stored(daemon) == before)
    assert await daemon.database.read(rows) == before


@pytest.mark.parametrize("when", ["write", "keep", "commit"])
async def test_a_full_disk_is_reported_and_leaves_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    daemon, client = pair
    before = stored(daemon)

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def full_database(*_arguments: object, **_more: object) -> None:
        raise DatabaseError("The disk is full.")

    if when == "write":
        init = ReceivedFile.__init__

        def failing(self: ReceivedFile, path: Path, file: io.FileIO) -> None:
            init(self, path, file)
            monkeypatch.setattr(self, "_file", Full(file))

        monkeypatch.setattr(ReceivedFile, "__init__", failing)
    elif when == "keep":
        monkeypatch.setattr("palaverd.file_folder._sync", full)
    else:
        monkeypatch.setattr(daemon.database, "write", full_database)
    with pytest.raises(Refused) as refused:
        await client.send_file("a", io.BytesIO(b"never stored"))
    monkeypatch.undo()
    assert (refused.value.problem.status, refused.value.problem.code) == (503, "storage")
    assert refused.value.problem.detail.endswith(".")
    assert stored(daemon) == before == await daemon.database.read(rows)


class Full:
    """A file on a full disk."""

    def __init__(self, file: io.FileIO) -> None:
        self.fileno, self.close = file.fileno, file.close

    def write(self, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_old_files_and_files_without_a_row_are_removed() -> None:
    clock = ManualClock()
    async with running_pair(
        clock=clock,
        worker=WorkerConfig(enabled=False),
        retention=RetentionConfig(days=3),
    ) as (daemon, client, _):
        old = await client.send_file("old", io.BytesIO(b"old"))
        again = await client.send_file("again", io.BytesIO(b"again"))
        clock.advance(timedelta(days=2).total_seconds())
        # The daemon has closed the connection meanwhile.
        async with Client(Endpoint(socket=daemon.socket)) as later:
            assert await later.send_file("again", io.BytesIO(b"again")) == again
        clock.advance(timedelta(days=2).total_seconds())
        orphan, part = "abcdefghjkmn", f"{'0' * 32}.part"
        young, foreign = "abcdefghjkmx", "notes.txt"
        for name in (orphan, part, young, foreign):
            path = daemon.files.path_of(name)
            path.write_bytes(b"x")
            age = UNKNOWN_S / 2 if name == young else UNKNOWN_S * 2
            when = clock.now().timestamp() - age
            os.utime(path, (when, when))
        for kept in (old, again):
            when = clock.now().timestamp() - UNKNOWN_S * 2
            os.utime(daemon.files.path_of(kept.id), (when, when))
        purging = asyncio.create_task(daemon.retention.purge())
        await result_of(purging, clock, 0.1)
        assert stored(daemon) == {again.id, young, foreign}
        assert await daemon.database.read(rows) == {again.id}
        async with Client(Endpoint(socket=daemon.socket)) as later:
            assert await content(later, again) == b"again"
            with pytest.raises(Refused):
                await content(later, old)
            daemon.files.path_of(again.id).unlink()
            with pytest.raises(PalaverError, match="missing"):
                await content(later, again)


async def test_an_error_says_what_cannot_be_done(tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"no directory")
    folder = FileFolder(tmp_path / "files")
    with pytest.raises(FolderError, match=r"^The directory of files cannot be read: "):
        await folder.names(0)
    with pytest.raises(FolderError, match=r"^A file cannot be removed: "):
        await folder.remove(["abcdefghjkmn"])
    with pytest.raises(FolderError, match=r"^The file cannot be stored: "):
        async with folder.receive():
            pass
