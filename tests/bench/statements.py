"""Record every statement that SQLAlchemy sends to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event


class Statement(NamedTuple):
    """A statement as the driver gets it; `many` means that it runs once per parameter set."""

    text: str
    parameters: Any
    many: bool


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Yield a list to which the statements of all engines in this process are added."""
    found: list[Statement] = []

    def note(
        _connection: Connection, _cursor: Any, text: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        found.append(Statement(text, parameters, many))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def query_plan(connection: Connection, statement: Statement) -> list[str]:
    """Return SQLite's plan of a statement, a line for each step."""
    found = connection.exec_driver_sql(
        f"EXPLAIN QUERY PLAN {statement.text}", tuple(statement.parameters)
    )
    return [str(row[3]) for row in found]
