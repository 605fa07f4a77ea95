"""The search engine of each database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from palaverd.store.search.engine import Indexed, SearchEngine
from palaverd.store.search.fts5 import Fts5

# By the name of SQLAlchemy's dialect.
_ENGINES: Final[Mapping[str, SearchEngine]] = {"sqlite": Fts5()}


def engine_of(connection: Connection) -> SearchEngine:
    """Return the search engine of a connection's database."""
    return _ENGINES[connection.dialect.name]


def how_far(connection: Connection) -> Indexed:
    """Return how far the index is."""
    return engine_of(connection).indexed(connection)


def index_some(connection: Connection) -> Indexed:
    """Index the next messages; return how far the index is then."""
    return engine_of(connection).index_some(connection)
