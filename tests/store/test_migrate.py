"""The schema of the migrations is that of the models, and a newer database is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import StaticPool

import palaverd.store.migrate as subject
from palaverd.store.database import DatabaseError
from palaverd.store.tables import metadata
from support.store import memory_store


@pytest.fixture
def empty() -> Iterator[Connection]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_the_migrations_make_exactly_the_tables_that_the_queries_use() -> None:
    with memory_store() as connection:
        ours = {"include_object": _is_ours}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), metadata) == []


def _is_ours(_item: object, name: str | None, kind: str, *_more: object) -> bool:
    """Return whether an item is a table of SQLAlchemy: not the search index, nor FTS5's tables."""
    return kind != "table" or name is None or not name.startswith("search_index")


def test_the_named_head_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(subject.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == subject.HEAD
    assert {script.revision for script in scripts.walk_revisions()} == subject.KNOWN


def test_migrating_twice_changes_nothing(empty: Connection) -> None:
    subject.migrate(empty)
    subject.migrate(empty)
    assert empty.execute(text("SELECT version_num FROM alembic_version")).scalar() == subject.HEAD


def test_a_newer_database_is_refused_with_the_version_to_install(empty: Connection) -> None:
    subject.migrate(empty)
    empty.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    empty.execute(text("UPDATE store_info SET value = '7.5.0'"))
    with pytest.raises(DatabaseError, match=r"Install Palaver 7\.5\.0 or newer"):
        subject.migrate(empty)


def test_a_database_of_another_program_is_refused(empty: Connection) -> None:
    empty.execute(text("CREATE TABLE songs (id INTEGER)"))
    with pytest.raises(DatabaseError, match="not one of Palaver's"):
        subject.migrate(empty)
