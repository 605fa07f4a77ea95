"""A migration for tests only, and database files of older schemas."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.pool import NullPool

from palaverd.store import migrate as subject
from palaverd.store.sqlite import prepare

NEXT = "9999"
SCRIPT = '''
"""The next schema, for tests."""

from alembic import op
from sqlalchemy import Column, Integer, Text

revision = "9999"
down_revision = "%s"


def upgrade():
    op.add_column("chats", Column("mood", Text))
    op.create_table("moods", Column("id", Integer, primary_key=True), Column("name", Text))
    op.execute("UPDATE chats SET mood = 'calm'")
    with op.batch_alter_table("chats") as batch:
        batch.alter_column("mood", nullable=False, existing_type=Text())
'''


def add_migration(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Add a migration to the program, from a copy of its scripts."""
    scripts = folder / "migrations"
    shutil.copytree(Path(subject.__file__).parent / "migrations", scripts)
    (scripts / "versions" / "9999_mood.py").write_text(SCRIPT % subject.HEAD)
    monkeypatch.setattr(subject, "_SCRIPTS", scripts)
    monkeypatch.setattr(subject, "KNOWN", subject.KNOWN | {NEXT})
    monkeypatch.setattr(subject, "HEAD", NEXT)


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """Return a connection to a file, set up like the daemon's writer."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    prepare(engine, "BEGIN IMMEDIATE")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def upgrade(connection: Connection, revision: str) -> None:
    """Migrate a database to the schema of an older program."""
    config = Config()
    config.set_main_option("script_location", str(Path(subject.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def content(path: Path) -> list[str]:
    """Return everything in a file, schema and rows, as SQL."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())
