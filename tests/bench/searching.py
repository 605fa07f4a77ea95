"""Indexing messages for the search: many in one commit, compared with a commit for each."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from sqlalchemy import Connection, select

from bench.figures import Effort, Figure, at_most
from bench.pages import OWNER, fill, fill_chat
from palaver.clock import SystemClock
from palaverd.store.migrate import migrate
from palaverd.store.search import fts5
from palaverd.store.search.engine import Scope
from palaverd.store.search.engines import engine_of, index_some
from palaverd.store.search.query import read_query
from palaverd.store.search.words import indexed, text_of
from palaverd.store.sqlite import SqliteDatabase
from palaverd.store.tables import messages

AIM = at_most(0.5)
MESSAGES = 2000


async def run(effort: Effort) -> list[Figure]:
    """Measure both with the same messages in the CPU time of the process, and a vague search."""
    count = effort.count(MESSAGES, 20)
    with tempfile.TemporaryDirectory(prefix="pv-bench") as folder:
        database = SqliteDatabase(Path(folder) / "palaver.db", SystemClock())
        await database.open(migrate)
        try:
            await database.write(lambda c: _fill(c, count))
            began = time.process_time()
            while not (await database.write(index_some)).complete:
                pass
            together = (time.process_time() - began) / count * 1e6
            began = time.process_time()
            found = await database.read(_search)
            searching = (time.process_time() - began) * 1e6
            assert found == min(count, fts5.MOST_RANKED)
            texts = await database.read(_texts)
            began = time.process_time()
            for number, text in texts:
                await database.write(lambda c, row=(number, "", text): _add(c, row))  # type: ignore[misc]
            apart = (time.process_time() - began) / count * 1e6
        finally:
            await database.close()
    return [
        Figure("index a message", together, "us", apart, "each in a transaction", AIM),
        Figure(f"search that finds {count} messages", searching, "us", together, "index one"),
    ]


def _fill(connection: Connection, count: int) -> None:
    fill(connection, 0)
    fill_chat(connection, "long", count)


def _search(connection: Connection) -> int:
    return len(engine_of(connection).find(connection, read_query("message"), Scope(OWNER)))


def _texts(connection: Connection) -> list[tuple[int, str]]:
    rows = connection.execute(select(messages.c.id, messages.c.parts).order_by(messages.c.id))
    return [(row.id + 10**9, indexed(text_of(row.parts))) for row in rows]


def _add(connection: Connection, row: tuple[int, str, str]) -> None:
    connection.exec_driver_sql(fts5._ADD, row)
