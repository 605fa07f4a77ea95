"""Read an owner's chats: one, a page of them, a page of one's messages."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from palaver.wire.chats import Chat
from palaver.wire.messages import MessagePage
from palaverd.indexing import catch_up
from palaverd.store import listing, sync
from palaverd.store.filters import NOT_ARCHIVED, ChatFilter
from palaverd.store.listing import Cursor
from palaverd.store.rows import ChatRow, wire_chat
from palaverd.usecases.context import Context
from palaverd.usecases.search import chats_with


async def find_chat(context: Context, chat_id: str, owner: str) -> Chat:
    """Return a chat.

    Raises:
        ChatNotFound: this owner has no such chat.
        DatabaseError: it cannot be read.
    """
    row = await context.door.database.read(lambda c: sync.load_chat(c, chat_id, owner))
    return wire_chat(row)


async def list_chats(
    context: Context,
    owner: str,
    *,
    limit: int,
    cursor: Cursor | None = None,
    wanted: ChatFilter = NOT_ARCHIVED,
) -> tuple[list[Chat], Cursor | None]:
    """Return a page of chats, and the cursor of the next page, if any.

    Pinned chats come first, then the newest activity. What a title is to have may be words of the
    chat's messages, too.

    Raises:
        DatabaseError: they cannot be read.
    """
    database, words = context.door.database, wanted.title_has
    if words:
        await catch_up(database)

    def read(connection: Connection) -> tuple[list[ChatRow], Cursor | None]:
        ids = chats_with(connection, words, owner) if words else frozenset()
        chosen = msgspec.structs.replace(wanted, or_ids=ids)
        return listing.list_chats(connection, owner, limit=limit, cursor=cursor, wanted=chosen)

    rows, following = await database.read(read)
    return [wire_chat(row) for row in rows], following


async def list_messages(
    context: Context,
    chat_id: str,
    owner: str,
    *,
    before_id: int | None = None,
    after_id: int | None = None,
    limit: int,
) -> MessagePage:
    """Return a page of messages: newest first, or oldest first if only `after_id` is given.

    Raises:
        ChatNotFound: this owner has no such chat.
        DatabaseError: they cannot be read.
    """

    def read(connection: Connection) -> MessagePage:
        sync.load_chat(connection, chat_id, owner)
        found, more = sync.load_page(
            connection, chat_id, before_id=before_id, after_id=after_id, limit=limit
        )
        return MessagePage(messages=found, more=more)

    return await context.door.database.read(read)


async def count_chats(context: Context) -> dict[tuple[str, bool], int]:
    """Return the number of chats of all owners, by status and whether they are archived.

    Raises:
        DatabaseError: they cannot be read.
    """
    return await context.door.database.read(listing.count_chats)
