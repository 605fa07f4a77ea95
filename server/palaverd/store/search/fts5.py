"""Full-text search with SQLite's FTS5.

The index has no copy of the texts (`content=''`): messages have them already. A row's number is the
id of its message, or the negative number of a chat's title in `search_titles`.

New messages are not indexed in the transaction that writes them, but before the next search, many
at once: in a commit of its own each would cost five times as much, while a user waits for it
(tests/bench/searching.py). What is deleted is removed from the index in the same transaction, by
triggers; FTS5 has to be given the text that it indexed, which is gone afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, insert, select, text, update

from palaverd.store.search.engine import Indexed, Place, Scope
from palaverd.store.search.query import Query, Term
from palaverd.store.search.words import indexed, phrase, text_of
from palaverd.store.tables import chats, messages, search_progress, search_titles

# For one transaction, which keeps others waiting for some 5 ms.
MESSAGES_AT_ONCE: Final = 100
CHARACTERS_AT_ONCE: Final = 100_000
# Matches that are ranked, the newest ones: a query with more is too vague for a rank to help.
MOST_RANKED: Final = 2000
TITLE_WEIGHT: Final = 5.0  # of a word in a title, compared with one in a message
# Significant digits of a rank: a smaller difference means less than which message is newer.
DIGITS: Final = 2

# Marks belong to words: without M*, words of Hindi fall apart at their vowels.
CREATE: Final = (
    "CREATE VIRTUAL TABLE search_index USING fts5(title, body, content='',"
    " tokenize=\"unicode61 remove_diacritics 2 categories 'L* N* M* Co'\")"
)
# Temporary: they belong to the connection of the daemon that has the function.
_TRIGGERS: Final = (
    """
    CREATE TEMP TRIGGER IF NOT EXISTS search_message_deleted BEFORE DELETE ON main.messages
    WHEN EXISTS (SELECT 1 FROM main.search_index_docsize WHERE id = old.id)
    BEGIN
        INSERT INTO search_index (search_index, rowid, title, body)
        VALUES ('delete', old.id, '', palaver_text(old.parts));
    END
    """,
    """
    CREATE TEMP TRIGGER IF NOT EXISTS search_message_changed BEFORE UPDATE OF parts ON main.messages
    WHEN EXISTS (SELECT 1 FROM main.search_index_docsize WHERE id = old.id)
    BEGIN
        INSERT INTO search_index (search_index, rowid, title, body)
        VALUES ('delete', old.id, '', palaver_text(old.parts));
        INSERT INTO search_index (rowid, title, body)
        VALUES (new.id, '', palaver_text(new.parts));
    END
    """,
    """
    CREATE TEMP TRIGGER IF NOT EXISTS search_title_changed AFTER UPDATE OF title ON main.chats
    WHEN old.title <> new.title
    BEGIN
        INSERT INTO search_index (search_index, rowid, title, body)
        SELECT 'delete', -id, palaver_words(old.title), '' FROM main.search_titles
        WHERE chat_id = new.id;
        INSERT INTO search_index (rowid, title, body)
        SELECT -id, palaver_words(new.title), '' FROM main.search_titles WHERE chat_id = new.id;
    END
    """,
    """
    CREATE TEMP TRIGGER IF NOT EXISTS search_title_deleted BEFORE DELETE ON main.chats
    BEGIN
        INSERT INTO search_index (search_index, rowid, title, body)
        SELECT 'delete', -id, palaver_words(old.title), '' FROM main.search_titles
        WHERE chat_id = old.id;
        DELETE FROM search_titles WHERE chat_id = old.id;
    END
    """,
)

_ADD: Final = "INSERT INTO search_index (rowid, title, body) VALUES (?, ?, ?)"
# What is said: not reasoning, which repeats it, nor what tools were given and printed, which is
# most of the text of a chat with tools, and would hide what is said about it.
_SAID = messages.c.role.in_(("user", "assistant"))
_OF_BATCH = select(
    messages.c.id,
    messages.c.chat_id,
    (_SAID & ~messages.c.deleted & (messages.c.visibility != "model")).label("found"),
    messages.c.parts,
).limit(MESSAGES_AT_ONCE)
_NEW = _OF_BATCH.where(messages.c.id > bindparam("high")).order_by(messages.c.id)
_OLD = _OF_BATCH.where(messages.c.id < bindparam("low")).order_by(messages.c.id.desc())
_NEWEST = select(func.coalesce(func.max(messages.c.id), 0))

_RANK: Final = f"bm25(search_index, {TITLE_WEIGHT}, 1.0)"
_IN_SCOPE: Final = (
    " AND c.owner = :owner AND (:archived IS NULL OR c.archived = :archived)"
    " AND (:chat_id IS NULL OR c.id = :chat_id)"
)
# CROSS JOIN: the index first, then what it found. The newest first, so that the limit stops it.
_IN_MESSAGES = text(
    f"SELECT {_RANK} AS rank, m.created_at AS at, m.id AS number, m.chat_id, m.id AS message_id"
    " FROM search_index CROSS JOIN messages m ON m.id = search_index.rowid"
    " CROSS JOIN chats c ON c.id = m.chat_id"
    f" WHERE search_index MATCH :query AND search_index.rowid > 0 AND NOT m.deleted{_IN_SCOPE}"
    " ORDER BY search_index.rowid DESC LIMIT :most"
)
_IN_TITLES = text(
    f"SELECT {_RANK} AS rank, c.updated_at AS at, -t.id AS number, c.id AS chat_id,"
    " NULL AS message_id"
    " FROM search_index CROSS JOIN search_titles t ON t.id = -search_index.rowid"
    " CROSS JOIN chats c ON c.id = t.chat_id"
    f" WHERE search_index MATCH :query AND search_index.rowid < 0{_IN_SCOPE}"
    " ORDER BY search_index.rowid LIMIT :most"
)


def keep_index(driver: sqlite3.Connection) -> None:
    """Have a writing connection remove from the index what it deletes, if there is an index."""
    if not driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'search_index'").fetchone():
        return
    driver.create_function(
        "palaver_text", 1, lambda parts: indexed(text_of(parts)), deterministic=True
    )
    driver.create_function("palaver_words", 1, indexed, deterministic=True)
    for trigger in _TRIGGERS:
        driver.execute(trigger)


class Fts5:
    """The index of an SQLite database; see `SearchEngine`."""

    def indexed(self, connection: Connection) -> Indexed:
        """Return how far the index is."""
        low, high = connection.execute(select(search_progress.c.low, search_progress.c.high)).one()
        return Indexed(low, high, connection.execute(_NEWEST).scalar_one())

    def index_some(self, connection: Connection) -> Indexed:
        """Index the next messages; see `SearchEngine`."""
        done = self.indexed(connection)
        if done.complete:
            return done
        if not done.current:
            batch = _batch(connection.execute(_NEW, {"high": done.high}))
            low, high = done.low, batch[-1].id if batch else done.newest
        else:
            batch = _batch(connection.execute(_OLD, {"low": done.low}))[::-1]
            low, high = batch[0].id if batch else 0, done.high
        _add_titles(connection, {row.chat_id for row in batch})
        _add(
            connection,
            [(row.id, "", said) for row in batch if row.found and (said := text_of(row.parts))],
        )
        connection.execute(update(search_progress).values(low=low, high=high))
        return Indexed(low, high, done.newest)

    def find(self, connection: Connection, query: Query, scope: Scope) -> list[Place]:
        """Return where a query is found; see `SearchEngine`."""
        given = {
            "query": expression(query),
            "owner": scope.owner,
            "archived": scope.archived,
            "chat_id": scope.chat_id,
            "most": MOST_RANKED,
        }
        found = [
            Place(float(f"{row.rank:.{DIGITS}g}"), row.at, row.number, row.chat_id, row.message_id)
            for statement in (_IN_TITLES, _IN_MESSAGES)
            for row in connection.execute(statement, given)
        ]
        return sorted(found, key=lambda place: place.order)


def expression(query: Query) -> str:
    """Return a query in FTS5's syntax."""
    wanted = " AND ".join(map(_quoted, query.wanted))
    if not query.unwanted:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(map(_quoted, query.unwanted))})"


def _quoted(term: Term) -> str:
    found = phrase(term.text, prefix=term.prefix)
    assert found is not None  # `read_query` leaves others out
    words = found.words.replace('"', " ").replace("\0", " ")
    return f'"{words}"' + (" *" if found.prefix else "")


def _batch(rows: Iterable[Any]) -> list[Any]:
    """Return rows up to a number of characters, at least one."""
    batch, characters = [], 0
    for row in rows:
        batch.append(row)
        characters += len(row.parts) if row.found else 0
        if characters >= CHARACTERS_AT_ONCE:
            break
    return batch


def _add_titles(connection: Connection, chat_ids: set[str]) -> None:
    """Index the titles of chats that have none in the index."""
    known = select(search_titles.c.chat_id).where(search_titles.c.chat_id.in_(chat_ids))
    new = sorted(chat_ids - set(connection.execute(known).scalars()))
    if not new:
        return
    connection.execute(insert(search_titles), [{"chat_id": chat_id} for chat_id in new])
    titles = (
        select(search_titles.c.id, chats.c.title)
        .join(chats, chats.c.id == search_titles.c.chat_id)
        .where(search_titles.c.chat_id.in_(new))
        .order_by(search_titles.c.id.desc())
    )
    _add(connection, [(-row.id, row.title, "") for row in connection.execute(titles)])


def _add(connection: Connection, rows: Sequence[tuple[int, str, str]]) -> None:
    """Insert rows, which must be in the order of their numbers: FTS5 is slow otherwise."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.executemany(_ADD, [(row, indexed(title), indexed(body)) for row, title, body in rows])
