"""What a search finds."""

from __future__ import annotations

from datetime import datetime

import msgspec

from palaver.wire.chats import Chat
from palaver.wire.messages import Role


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """A piece of a snippet; `match` says that it is what was searched for."""

    text: str
    match: bool = False


class Hit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message in which all the words are, or a chat with all of them in its title.

    `message_id`, `role` and `created_at` are the message's, None for a title. `snippet` is a line
    of its text around the words, or the title.
    """

    chat: Chat
    snippet: list[Span]
    message_id: int | None = None
    role: Role | None = None
    created_at: datetime | None = None


class SearchPage(msgspec.Struct, frozen=True):
    """A page of hits, the best first; `next_cursor` requests the next one.

    `complete` is False while older messages are not in the index yet, after an upgrade; `indexed`
    is how much of the history is, from 0 to 1.
    """

    hits: list[Hit]
    next_cursor: str | None = None
    complete: bool = True
    indexed: float = 1.0
