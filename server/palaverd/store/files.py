"""Open a database file for reading, also on a read-only file system."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

BUSY_S = 5.0  # timeout for other writers


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection to a database. A missing file is not created.

    Raises:
        sqlite3.Error: it cannot be opened.
        OSError: it could not be copied to where it can be opened.
    """
    with _address(path) as address, closing(_connect(address)) as connection:
        yield connection


@contextmanager
def engine_on(path: Path) -> Iterator[Engine]:
    """Yield an engine for `connected`. Raises the same."""
    with _address(path) as address:
        engine = create_engine("sqlite://", creator=lambda: _connect(address), poolclass=NullPool)
        try:
            yield engine
        finally:
            engine.dispose()


def _connect(address: str) -> sqlite3.Connection:
    return sqlite3.connect(address, uri=True, timeout=BUSY_S)


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """Yield a URI with which SQLite can open the file.

    A database in WAL mode has two more files while it is used, and SQLite creates them even to
    read. If it cannot, as on a read-only mount, there are three cases.
    """
    path = path.absolute()
    wal, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    if not path.exists() or _can_be_written(path):
        yield f"{path.as_uri()}?mode=rw"
    elif not wal.exists() or wal.stat().st_size == 0:
        # The file itself is complete and cannot change here.
        yield f"{path.as_uri()}?mode=ro&immutable=1"
    elif index.exists():
        yield f"{path.as_uri()}?mode=ro"
    else:
        with tempfile.TemporaryDirectory(prefix="palaver-") as folder:
            copy = Path(shutil.copy(path, folder))
            shutil.copy(wal, folder)
            yield f"{copy.as_uri()}?mode=rw"


def _can_be_written(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
