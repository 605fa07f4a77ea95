"""An upgrade interrupted at any statement leaves the file unchanged, and can be run again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from palaver.clock import SystemClock
from palaverd.chatstate.states import State
from palaverd.store.access import ensure_user
from palaverd.store.backup import backup_before, integrity_problems
from palaverd.store.check import check_all
from palaverd.store.database import DatabaseError
from palaverd.store.migrate import HEAD, migrate
from palaverd.store.sqlite import SqliteDatabase, change_schema
from support.schema import NEXT, add_migration, content, opened
from support.store import NOW, OWNER, dump, plant

WHEN = datetime(2025, 1, 1, tzinfo=UTC)


EMPTY = ["BEGIN TRANSACTION;", "COMMIT;"]


class Cut(Exception):
    """A power cut."""


def upgrade(path: Path, cut_at: int | None = None) -> int:
    """Migrate a file; raise `Cut` before a statement. Returns how many statements there were."""
    count = 0

    def on_statement(*_: Any) -> None:
        nonlocal count
        if count == cut_at:
            raise Cut
        count += 1

    event.listen(Engine, "before_cursor_execute", on_statement)
    try:
        with opened(path) as connection:
            change_schema(connection, migrate)
    finally:
        event.remove(Engine, "before_cursor_execute", on_statement)
    return count


def first_release(path: Path) -> None:
    """Write a file of the first schema, with a chat in it."""
    with opened(path) as connection, connection.begin():
        migrate(connection)
        ensure_user(connection, OWNER, NOW)
        plant(connection, State.R1)


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    path = tmp_path / "palaver.db"
    first_release(path)
    return path


def nothing(_path: Path) -> None:
    """Write no file."""


@pytest.mark.parametrize("before", [nothing, first_release], ids=["new", "first release"])
def test_an_upgrade_cut_off_at_any_statement_can_be_run_again(
    before: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "palaver.db"
    before(path)
    add_migration(monkeypatch, tmp_path)
    was = content(path)
    statement = 0
    while True:
        try:
            total = upgrade(path, cut_at=statement)
        except Cut:
            assert content(path) == (was or EMPTY)
            statement += 1
        else:
            break
    assert statement == total > 10
    assert integrity_problems(path) == []
    assert content(path) != was
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEXT,)]
    connection.close()


def test_a_migration_that_alters_a_file_copies_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "palaver.db"
    first_release(path)
    was = content(path)
    copied = backup_before(path, NEXT, WHEN)
    assert copied is not None
    assert copied.parent == tmp_path / "backups"
    assert copied.stat().st_mode & 0o777 == 0o600
    add_migration(monkeypatch, tmp_path)
    upgrade(path)
    assert content(copied) == was
    # No rows of a chat are deleted with a table that is recreated.
    with opened(path) as connection:
        rows = {name: len(found) for name, found in dump(connection).items() if found}
    assert rows.pop("search_progress") == 1
    assert rows == {"store_info": 1, "users": 1, "chats": 1, "messages": 1, "queued_messages": 2}
    assert check_all(copied) == (1, [])
    # The upgrade is done: the next start copies nothing.
    assert backup_before(path, NEXT, WHEN) is None


def test_a_new_file_and_a_present_one_are_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "palaver.db"
    assert backup_before(path, NEXT, WHEN) is None
    first_release(path)
    assert backup_before(path, HEAD, WHEN) is None
    assert not (tmp_path / "backups").exists()


def test_a_copy_that_cannot_be_made_refuses_the_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "palaver.db"
    first_release(path)
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(DatabaseError, match="could not be copied"):
        backup_before(path, NEXT, WHEN)


def test_a_copy_of_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "palaver.db"
    path.write_text("this is a diary, not a database" * 100)
    with pytest.raises(DatabaseError, match="not a database that can be read"):
        backup_before(path, NEXT, WHEN)


def test_an_upgrade_that_would_leave_rows_without_their_chat_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "palaver.db"
    first_release(path)
    was = content(path)

    def careless(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE moods (id INTEGER)")
        connection.exec_driver_sql("DELETE FROM chats")

    with opened(path) as connection:
        with pytest.raises(DatabaseError, match="nothing was changed"):
            change_schema(connection, careless)
        # Afterwards foreign keys are enforced again.
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    assert content(path) == was


async def test_the_daemons_own_way_of_opening_keeps_what_belongs_to_a_chat(
    old_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_migration(monkeypatch, tmp_path)
    database = SqliteDatabase(old_file, SystemClock())
    await database.open(migrate)
    try:
        rows = await database.read(dump)
        assert (len(rows["messages"]), len(rows["queued_messages"])) == (1, 2)
        assert (
            await database.write(lambda c: c.exec_driver_sql("PRAGMA foreign_keys").scalar()) == 1
        )
    finally:
        await database.close()
