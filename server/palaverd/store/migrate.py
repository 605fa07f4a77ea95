"""Migrate a database to this program's schema; refuse one of a newer program."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from palaver import __version__
from palaverd.store.database import DatabaseError
from palaverd.store.tables import store_info

# The newest migration, so that a start with nothing to migrate need not import Alembic; a test
# compares it with the scripts.
HEAD = "0013"
KNOWN = frozenset({f"{number:04}" for number in range(1, 13)} | {HEAD})
_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Upgrade the schema inside the caller's transaction.

    Raises:
        DatabaseError: the database is of a newer program, or not Palaver's.
    """
    found = _revision(connection)
    if found == HEAD:
        return
    if found is not None and found not in KNOWN:
        raise DatabaseError(
            f"This database was written by Palaver {_writer(connection)} (schema {found}), "
            f"and this is {__version__} (schema {HEAD}). "
            f"Install Palaver {_writer(connection)} or newer; nothing was changed."
        )
    if found is None and inspect(connection).get_table_names():
        raise DatabaseError("This file is a database, but not one of Palaver's.")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(store_info.delete().where(store_info.c.key == "program"))
    connection.execute(store_info.insert().values(key="program", value=__version__))


def is_current(connection: Connection) -> bool:
    """Return whether the schema is this program's."""
    return _revision(connection) == HEAD


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _writer(connection: Connection) -> str:
    found = connection.execute(
        store_info.select()
        .with_only_columns(store_info.c.value)
        .where(store_info.c.key == "program")
    ).scalar()
    return str(found) if found else "a newer version"
