"""Search an owner's messages and titles."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select

from palaver.wire.search import Hit, SearchPage
from palaverd.indexing import catch_up
from palaverd.store import codec, sync
from palaverd.store.listing import read_chats
from palaverd.store.rows import wire_chat
from palaverd.store.search.engine import After, Place, Scope
from palaverd.store.search.engines import engine_of, how_far
from palaverd.store.search.query import Query, QueryError, read_query
from palaverd.store.search.snippet import snippet
from palaverd.store.search.words import text_of
from palaverd.store.tables import messages
from palaverd.usecases.context import Context
from palaverd.usecases.errors import InvalidRequest


class Found(msgspec.Struct, frozen=True):
    """A page of what was found, and the end of it if there is another one."""

    page: SearchPage
    after: After | None


async def search(
    context: Context,
    text: str,
    scope: Scope,
    *,
    limit: int,
    after: After | None = None,
    once: bool = False,
) -> Found:
    """Return a page of the messages and titles with the words of `text`, the best ones first.

    With `once`, only the best one of each chat.

    Raises:
        InvalidRequest: there is no word to look for.
        ChatNotFound: the owner has no chat with the scope's id.
        DatabaseError: the database failed.
    """
    try:
        query = read_query(text)
    except QueryError as error:
        raise InvalidRequest(str(error), "q") from None
    database = context.door.database
    await catch_up(database)

    def read(connection: Connection) -> Found:
        if scope.chat_id is not None:
            sync.load_chat(connection, scope.chat_id, scope.owner)
        places = engine_of(connection).find(connection, query, scope)
        if once:
            # The first one of each chat is its best one.
            places = list({place.chat_id: place for place in reversed(places)}.values())
            places.sort(key=lambda place: place.order)
        if after is not None:
            end = (after.rank, -after.at, after.number)
            places = [place for place in places if place.order > end]
        page, more = places[:limit], len(places) > limit
        done = how_far(connection)
        return Found(
            SearchPage(_hits(connection, page, query), None, done.complete, round(done.share, 3)),
            After(page[-1].rank, page[-1].at, page[-1].number) if more else None,
        )

    return await database.read(read)


def chats_with(connection: Connection, text: str, owner: str) -> frozenset[str]:
    """Return the ids of the chats in which the words of `text` are found; none without a word."""
    try:
        query = read_query(text)
    except QueryError:
        return frozenset()
    places = engine_of(connection).find(connection, query, Scope(owner))
    return frozenset(place.chat_id for place in places)


def _hits(connection: Connection, places: Sequence[Place], query: Query) -> list[Hit]:
    rows = read_chats(connection, list({place.chat_id for place in places}))
    chats = {row.chat_id: wire_chat(row) for row in rows}
    ids = [place.message_id for place in places if place.message_id is not None]
    found = connection.execute(
        select(messages.c.id, messages.c.role, messages.c.parts).where(messages.c.id.in_(ids))
    )
    said = {row.id: row for row in found}
    hits = []
    for place in places:
        chat = chats[place.chat_id]
        if place.message_id is None:
            hits.append(Hit(chat, snippet(chat.title, query)))
            continue
        row = said[place.message_id]
        hits.append(
            Hit(
                chat,
                snippet(text_of(row.parts), query),
                message_id=row.id,
                role=row.role,
                created_at=codec.from_ms(place.at),
            )
        )
    return hits
