"""A full disk, a read-only file, a missing file: a real daemon reports each, and survives it."""

from __future__ import annotations

import asyncio
import resource
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from palaver.client import Client, Refused
from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.errors import Problem
from palaver.wire.events import MessagePartEvent, StreamEvent
from palaverd.simulator import Simulator
from palaverd.store.backup import integrity_problems
from palaverd.store.check import check_all
from palaverd.store.files import connected
from support.chats import events_until, history
from support.clock import PATIENCE_S
from support.daemon import short_dir
from support.process import DaemonProcess
from support.processes import refused_start, served
from support.require import require

pytestmark = pytest.mark.process
SIZE = "2m"  # of the small file system
LONG = "[[echo]] " + "words " * 2000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system that is quickly full."""
    require("mount")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how},size={SIZE}", place], check=True)


@asynccontextmanager
async def daemon_on(data_dir: Path, rate: float = 0) -> AsyncIterator[DaemonProcess]:
    async with (
        short_dir() as folder,
        Simulator(rate=rate) as simulator,
        served(folder, data_dir, simulator.url) as daemon,
    ):
        yield daemon


def shown(events: list[StreamEvent]) -> str:
    return "".join(event.delta for event in events if isinstance(event, MessagePartEvent))


async def fill(place: Path) -> Path:
    """Fill a file system."""
    ballast = place / "ballast"

    def write() -> None:
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                return

    await asyncio.to_thread(write)
    return ballast


async def refusal_of(request: Callable[[], Awaitable[object]]) -> Problem | None:
    """Send a request once; return the database's reason for refusing, None if it did not."""
    try:
        await request()
    except Refused as refused:
        return refused.problem
    return None


async def trouble(request: Callable[[], Awaitable[object]]) -> str:
    """Repeat a request until the database refuses; return the message."""
    async with asyncio.timeout(PATIENCE_S):
        while (problem := await refusal_of(request)) is None:
            pass
    assert (problem.status, problem.code) == (503, "storage")
    assert problem.detail.endswith(".")
    return problem.detail


async def works(request: Callable[[], Awaitable[object]]) -> None:
    """Repeat a request until the database accepts it, once the cause is gone."""
    async with asyncio.timeout(PATIENCE_S):
        while (problem := await refusal_of(request)) is not None:
            assert problem.status == 503
            await asyncio.sleep(0.05)


async def settled(client: Client, chat_id: str, seconds: float = 30) -> str:
    """Wait until a chat is idle, including the worker's own waits between attempts."""
    async with asyncio.timeout(seconds):
        while (chat := await client.chat(chat_id)).status not in ("waiting", "error"):
            await asyncio.sleep(0.02)
    return chat.status


async def assert_file_is_well(path: Path) -> None:
    assert await asyncio.to_thread(integrity_problems, path) == []
    assert (await asyncio.to_thread(check_all, path))[1] == []


async def begun(client: Client) -> tuple[str, Callable[[], Awaitable[object]]]:
    """Return a chat with an answer, and a request that writes."""
    sent = await client.create_chat(CreateChat(content="[[echo]] remembered"))
    await settled(client, sent.chat.id)
    return sent.chat.id, lambda: client.create_chat(CreateChat(content=LONG))


async def test_a_full_disk_refuses_in_a_sentence_and_recovers_when_there_is_room(
    small_disk: Path,
) -> None:
    async with daemon_on(small_disk) as daemon:
        client = daemon.client
        chat_id, request = await begun(client)
        acknowledged = {chat_id}
        ballast = await fill(small_disk)

        async def write() -> None:
            acknowledged.add((await client.create_chat(CreateChat(content=LONG))).chat.id)

        assert "full" in await trouble(write)
        # Reads work, and the daemon responds.
        assert ("user", "[[echo]] remembered") in await history(client, chat_id)
        assert daemon.alive
        await asyncio.to_thread(ballast.unlink)
        await works(request)
        for one in acknowledged:
            assert await settled(client, one) == "waiting"
            assert len(await history(client, one)) == 2
        await assert_file_is_well(small_disk / "palaver.db")


async def test_an_answer_that_ran_while_the_disk_filled_up_is_there_in_the_end(
    small_disk: Path,
) -> None:
    async with daemon_on(small_disk, rate=2000) as daemon:
        client = daemon.client
        await begun(client)
        sent = await client.create_chat(CreateChat(content=LONG))
        await events_until(client, sent.chat.id, lambda events: len(shown(events)) > 0)
        ballast = await fill(small_disk)

        async def request() -> object:
            return await client.send(sent.chat.id, SendMessage(content=LONG))

        await trouble(request)
        # The model finishes its answer, and none of it can be written.
        await events_until(client, sent.chat.id, lambda events: len(shown(events)) > 11_000)
        await trouble(request)
        assert daemon.alive
        await asyncio.to_thread(ballast.unlink)
        assert await settled(client, sent.chat.id) == "waiting"
        said = [role for role, _ in await history(client, sent.chat.id)]
        # Acknowledged messages are answered, once each; refused ones are not stored.
        assert said[:2] == ["user", "assistant"]
        assert said == ["user", "assistant"] * (len(said) // 2)
        await assert_file_is_well(small_disk / "palaver.db")


async def test_a_disk_that_refuses_every_write_is_survived(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with daemon_on(data_dir) as daemon:
        client = daemon.client
        chat_id, request = await begun(client)
        # No mount becomes read-only under a file that is open for writing; a limit of
        # the process refuses its writes just as finally.
        _, most = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (0, most))
        await trouble(request)
        assert ("user", "[[echo]] remembered") in await history(client, chat_id)
        assert daemon.alive
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (most, most))
        await works(request)
    await assert_file_is_well(data_dir / "palaver.db")


async def test_a_read_only_disk_is_refused_at_the_start_and_used_again_afterwards(
    small_disk: Path,
) -> None:
    async with daemon_on(small_disk) as daemon:
        chat_id, _ = await begun(daemon.client)
    await asyncio.to_thread(remount, small_disk, "ro")
    async with short_dir() as folder:
        said = await refused_start(folder, small_disk, "http://127.0.0.1:1")
    await asyncio.to_thread(remount, small_disk, "rw")
    assert said.startswith("palaverd: ")
    assert "Read-only file system" in said
    async with daemon_on(small_disk) as daemon:
        assert ("user", "[[echo]] remembered") in await history(daemon.client, chat_id)
        assert await refusal_of(lambda: daemon.client.create_chat(CreateChat("hi"))) is None


@pytest.mark.parametrize("left", ["nothing", "both", "only the journal"])
async def test_a_sound_database_on_a_read_only_disk_is_checked_and_copied(
    small_disk: Path, tmp_path: Path, left: str
) -> None:
    """With any of a daemon's files beside it: none after a shutdown, its journal after a crash."""
    async with daemon_on(small_disk) as daemon:
        chat_id, _ = await begun(daemon.client)
        await daemon.end(signal.SIGTERM if left == "nothing" else signal.SIGKILL)
    path = small_disk / "palaver.db"
    if left == "only the journal":
        path.with_name("palaver.db-shm").unlink()
    assert path.with_name("palaver.db-wal").exists() is (left != "nothing")
    await asyncio.to_thread(remount, small_disk, "ro")
    try:
        said = await operator("check", "--data-dir", str(small_disk))
        assert said == (0, f"{path}: 1 chats checked\nok\n")
        copy = tmp_path / "copy.db"
        assert (await operator("backup", "--data-dir", str(small_disk), str(copy)))[0] == 0
        assert await asyncio.to_thread(_ids, copy) == [chat_id]
    finally:
        await asyncio.to_thread(remount, small_disk, "rw")


def _ids(path: Path) -> list[str]:
    with connected(path) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM chats")]


async def operator(*arguments: str) -> tuple[int | None, str]:
    """Run `palaverd db …`; return its exit code and its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "palaverd", "db", *arguments, stdout=PIPE, stderr=STDOUT
    )
    async with asyncio.timeout(PATIENCE_S):
        said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_a_file_that_was_moved_away_refuses_until_it_is_back(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with daemon_on(data_dir) as daemon:
        client = daemon.client
        chat_id, request = await begun(client)
        path, away = data_dir / "palaver.db", data_dir / "elsewhere.db"
        await asyncio.to_thread(path.rename, away)
        assert "moved or replaced" in await trouble(request)
        assert not path.exists()
        assert daemon.alive
        await asyncio.to_thread(away.rename, path)
        await works(request)
        assert ("user", "[[echo]] remembered") in await history(client, chat_id)
    await assert_file_is_well(data_dir / "palaver.db")


async def test_nothing_is_written_over_a_file_that_was_replaced(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with daemon_on(data_dir) as daemon:
        client = daemon.client
        chat_id, request = await begun(client)
        path, away = data_dir / "palaver.db", data_dir / "elsewhere.db"
        await asyncio.to_thread(path.rename, away)
        await asyncio.to_thread(path.write_bytes, b"somebody else's")
        assert "moved or replaced" in await trouble(request)
        assert await asyncio.to_thread(path.read_bytes) == b"somebody else's"
        assert daemon.alive
        await asyncio.to_thread(away.replace, path)
        await works(request)
        assert ("user", "[[echo]] remembered") in await history(client, chat_id)
    await assert_file_is_well(data_dir / "palaver.db")
