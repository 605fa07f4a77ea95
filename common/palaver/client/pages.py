"""Iterate over chats, and over a chat's messages, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from palaver.wire.chats import Chat, ChatStatus
from palaver.wire.messages import Message

if TYPE_CHECKING:
    from palaver.client.client import Client

PAGE = 200  # chats or messages per request: the most that the daemon returns


async def listed_chats(
    client: Client,
    most: int | None = None,
    *,
    archived: bool = False,
    q: str | None = None,
    labels: Sequence[str] = (),
    statuses: Sequence[ChatStatus] = (),
    parent: str | None = None,
    unread: bool | None = None,
) -> AsyncIterator[Chat]:
    """Yield chats, at most so many, in the order and by the conditions of `Client.chats`.

    Raises `PalaverError`.
    """
    cursor: str | None = None
    left = most
    while left is None or left > 0:
        page = await client.chats(
            PAGE if left is None else min(PAGE, left),
            cursor,
            archived,
            q,
            labels=labels,
            statuses=statuses,
            parent=parent,
            unread=unread,
        )
        for chat in page.chats:
            yield chat
        left = None if left is None else left - len(page.chats)
        cursor = page.next_cursor
        if cursor is None:
            return


async def messages_after(client: Client, chat_id: str, after: int = 0) -> AsyncIterator[Message]:
    """Yield the messages after id `after`, oldest first. Raises `PalaverError`."""
    while True:
        page = await client.messages(chat_id, after_id=after, limit=PAGE)
        for message in page.messages:
            yield message
            after = message.id
        if not page.more or not page.messages:
            return


async def newest_of_person(client: Client, chat_id: str) -> Message | None:
    """Return the user's last message, None if there is none. Raises `PalaverError`."""
    before: int | None = None
    while True:
        page = await client.messages(chat_id, before_id=before, limit=PAGE)
        for message in page.messages:
            if message.role == "user":
                return message
            before = message.id
        if not page.more or not page.messages:
            return None
