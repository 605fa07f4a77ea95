"""Copies made during writes are consistent; `palaverd db` explains what is wrong."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from palaver.clock import SystemClock
from palaverd.chatstate.states import State
from palaverd.store import check
from palaverd.store.access import ensure_user
from palaverd.store.backup import copy_database, integrity_problems
from palaverd.store.check import check_all
from palaverd.store.door import NewChat, finish, fresh_chat
from palaverd.store.history import NewUserMessage
from palaverd.store.migrate import HEAD, migrate
from palaverd.store.sqlite import SqliteDatabase
from palaverd.store.transitions.send import create
from support.schema import content, opened
from support.store import NOW, OWNER, plant


async def test_a_copy_made_while_a_writer_writes_is_whole(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "palaver.db", SystemClock())
    await database.open(migrate)
    await database.write(lambda c: ensure_user(c, OWNER, NOW))
    written = 0
    done = asyncio.Event()

    async def write() -> None:
        nonlocal written
        while not done.is_set():

            def make(connection, name=f"chat{written}"):  # type: ignore[no-untyped-def]
                chat = fresh_chat(connection, name, NewChat(owner=OWNER, title="t"), NOW)
                create(chat, NewUserMessage("x" * 5000))
                finish(chat, None)

            await database.write(make)
            written += 1

    writing = asyncio.create_task(write())
    try:
        for number in range(5):
            before = written
            target = tmp_path / f"copy{number}.db"
            await asyncio.to_thread(copy_database, database.path, target)
            assert await asyncio.to_thread(integrity_problems, target) == []
            count, wrong = await asyncio.to_thread(check_all, target)
            assert wrong == []
            # Everything acknowledged before the copy began is in it.
            assert before <= count
    finally:
        done.set()
        await writing
        await database.close()
    assert written > 0


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A database file with one chat."""
    path = tmp_path / "palaver.db"
    with opened(path) as connection, connection.begin():
        migrate(connection)
        ensure_user(connection, OWNER, NOW)
        plant(connection, State.R1)
    return path


async def palaverd(*arguments: str | Path) -> tuple[int, list[str]]:
    """Run a command; return its exit status and its lines of output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "palaverd",
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(30):
        said, _ = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in said, said.decode()
    return process.returncode, said.decode().splitlines()


def test_a_check_does_not_see_half_of_what_is_written_meanwhile(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[[Connection, str], list[int]] = vars(check)["queue_ids"]
    with closing(sqlite3.connect(filled)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")

        def after_the_row(connection: Connection, chat_id: str) -> list[int]:
            writer.execute("UPDATE messages SET revision = 9")
            writer.execute("UPDATE chats SET snapshot_version = 9")
            writer.commit()
            return real(connection, chat_id)

        with monkeypatch.context() as patched:
            patched.setattr(check, "queue_ids", after_the_row)
            assert check_all(filled) == (1, [])
    # The old row of the chat and the new message would not fit.
    with closing(sqlite3.connect(filled)) as other:
        assert other.execute("SELECT revision FROM messages").fetchall() == [(9,)]


@pytest.mark.process
async def test_backup_copies_check_finds_nothing_and_migrate_has_nothing_to_do(
    tmp_path: Path, filled: Path
) -> None:
    path, target = filled, tmp_path / "copy.db"
    assert await palaverd("db", "backup", "--data-dir", tmp_path, target) == (
        0,
        [f"copied to {target}"],
    )
    assert content(target) == content(path)
    status, said = await palaverd("db", "check", "--data-dir", tmp_path)
    assert (status, said[-1]) == (0, "ok")
    assert await palaverd("db", "migrate", "--data-dir", tmp_path) == (
        0,
        [f"{path}: schema {HEAD}"],
    )
    assert content(target) == content(path)


@pytest.mark.process
async def test_check_names_a_broken_chat_and_what_is_wrong_with_it(
    tmp_path: Path, filled: Path
) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("UPDATE chats SET queue_length = 9")
        connection.commit()
    status, said = await palaverd("db", "check", "--data-dir", tmp_path)
    assert status == 1
    assert "chat c: queue_length is 9, 2 are queued" in said
    assert "ok" not in said


@pytest.mark.process
@pytest.mark.parametrize(
    ("command", "named"),
    [(["backup", "new.db"], "palaver.db"), (["check"], "palaver.db")],
    ids=["backup", "check"],
)
async def test_a_file_that_is_missing_is_said_in_one_sentence_and_not_made(
    tmp_path: Path, command: list[str], named: str
) -> None:
    arguments = [str(tmp_path / a) if a.endswith(".db") else a for a in command]
    status, said = await palaverd("db", *arguments, "--data-dir", tmp_path)
    assert (status, len(said)) == (1, 1)
    assert named in said[0]
    assert said[0].startswith("palaverd: ")
    assert said[0].endswith(".")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
async def test_a_backup_never_writes_over_a_file(tmp_path: Path, filled: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    status, said = await palaverd("db", "backup", "--data-dir", tmp_path, target)
    assert (status, said) == (
        1,
        [f"palaverd: {target} is there already; name a file that is not."],
    )
    assert target.read_text() == "precious"
    assert filled.exists()


@pytest.mark.process
async def test_what_is_no_database_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "palaver.db").write_text("this is a diary, not a database" * 100)
    for command in ("check", "migrate"):
        status, said = await palaverd("db", command, "--data-dir", tmp_path)
        assert (status, len(said)) == (1, 1)
        assert "not a database" in said[0]
