"""Online backups of the SQLite file, and its integrity check."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from palaverd.store.database import DatabaseError
from palaverd.store.files import connected

PAGES_PER_STEP = 1024  # 4 MiB at a time, so that writers are not blocked for long


def copy_database(source: Path, target: Path) -> None:
    """Copy a database with SQLite's online backup: consistent, also while it is written.

    Blocks: call it in a thread.

    Raises:
        DatabaseError: the source is not a database, or the target cannot be written.
    """
    if target.exists():
        raise DatabaseError(f"{target} is there already; name a file that is not.")
    # Written to a temporary file and renamed, so that an aborted copy never looks complete.
    unfinished = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            connected(source) as reading,
            closing(sqlite3.connect(unfinished)) as writing,
        ):
            reading.backup(writing, pages=PAGES_PER_STEP)
        unfinished.chmod(0o600)
        unfinished.replace(target)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):  # report the first error
            unfinished.unlink(missing_ok=True)
        cause = getattr(error, "strerror", None) or str(error)
        raise DatabaseError(f"{source} could not be copied to {target}: {cause}.") from error


def backup_before(path: Path, head: str, now: datetime) -> Path | None:
    """Back up a database that a migration will change; None if it will not.

    Raises:
        DatabaseError: the copy failed; do not migrate.
    """
    if not path.exists():
        return None
    try:
        with connected(path) as connection:
            known = connection.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
            ).fetchone()
            if known is None:
                return None
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"{path} is not a database that can be read: {error}.") from error
    if found is None or found[0] == head:
        return None
    target = path.parent / "backups" / f"{path.stem}-{found[0]}-{now:%Y%m%dT%H%M%SZ}.db"
    copy_database(path, target)
    return target


def integrity_problems(path: Path) -> list[str]:
    """Return the problems that SQLite finds in a file; empty for a good one.

    Raises:
        DatabaseError: the file is not a database.
    """
    try:
        with connected(path) as connection:
            rows = connection.execute("PRAGMA integrity_check").fetchall()
            keys = connection.execute("PRAGMA foreign_key_check").fetchall()
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"{path} is not a database that can be read: {error}.") from error
    found = [row[0] for row in rows if row[0] != "ok"]
    return found + [f"{row[0]} row {row[1]} refers to a missing {row[2]}" for row in keys]
