"""The route of the full-text search."""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from palaver.wire.search import SearchPage
from palaverd.api.access import owner_of
from palaverd.api.cursors import read_cursor, write_cursor
from palaverd.api.limits import SEARCH_LIMIT, SEARCH_PAGE
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.store.search.engine import After, Scope
from palaverd.usecases import search

routes = Routes()


class SearchMessages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to search for, and where.

    `q` has words, which are all wanted; "words in quotation marks" stand next to each other, -word
    is not there, relay* is the beginning of a word. `archived` is whether to search in archived
    chats or in the others, by default in both; `chat` is the id of the only chat to search.
    `once` returns only the best hit of each chat. `cursor` is the `next_cursor` of the page before.
    """

    q: str
    limit: Annotated[int, Meta(ge=1, le=SEARCH_LIMIT)] = SEARCH_PAGE
    cursor: str | None = None
    archived: bool | None = None
    chat: str | None = None
    once: bool = False


@routes.get("/api/v1/search", scope="read", problems=("chat_not_found",))
async def get_search(request: web.Request, query: SearchMessages) -> SearchPage:
    """Search in the messages of users and models and in titles, the best hits first."""
    found = await search.search(
        request.app[SERVICES].context,
        query.q,
        Scope(owner_of(request), query.archived, query.chat),
        limit=query.limit,
        after=read_cursor(query.cursor, After),
        once=query.once,
    )
    return msgspec.structs.replace(found.page, next_cursor=write_cursor(found.after))
