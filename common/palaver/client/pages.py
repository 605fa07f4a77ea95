"""Iterate over a chat's messages, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from palaver.wire.messages import Message

if TYPE_CHECKING:
    from palaver.client.client import Client

PAGE = 200  # messages per request: the most that the daemon returns


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
