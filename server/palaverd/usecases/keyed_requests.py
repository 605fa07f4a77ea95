"""Runs a request on one chat: its key first, then the owner's chat under the lock, then work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection

from palaverd.chatstate.errors import ChatNotFound
from palaverd.chatstate.table import Transition
from palaverd.store.door import Applied, Door, finish
from palaverd.store.idempotency import find_answer, request_key, store_answer
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import ChatRow, wire_chat

T = TypeVar("T", bound=msgspec.Struct)


class Asker(msgspec.Struct, frozen=True):
    """Who asks, and the idempotency key that they chose, if any."""

    owner: str
    key: str | None = None


# Brings the first answer up to date for a repeated request: where things are now.
Refresh = Callable[[Connection, ChatRow, T], T]


def as_it_is_now(_connection: Connection, row: ChatRow, answer: T) -> T:
    """Say the first answer again, with the chat as it is now."""
    changes: dict[str, Any] = {"chat": wire_chat(row), "repeated": True}
    return msgspec.structs.replace(answer, **changes)


async def on_chat(
    door: Door,
    chat_id: str,
    asker: Asker,
    operation: Transition,
    content: object,
    kind: type[T],
    work: Callable[[LockedChat], T],
    refresh: Refresh[T] = as_it_is_now,
) -> T:
    """Let `work` answer a request about a chat, once per key.

    The key is looked up under the lock, before state, limits and archive are; only successes
    that changed something are remembered.

    Args:
        content: what was asked, to tell a repetition from another request with the same key.

    Raises:
        ChatNotFound: there is no such chat of this owner.
        KeyReused: the key was used for something else.
        TransitionError: refused; nothing was changed.
        DatabaseError: nothing was changed.
    """
    key = request_key(asker.owner, asker.key, operation, [chat_id, content])

    def transaction(connection: Connection, now: int) -> Applied[T]:
        chat = lock(connection, chat_id, now)
        if chat.row.owner != asker.owner:
            raise ChatNotFound(chat_id)
        known = find_answer(connection, key, kind)
        if known is not None:
            answer = refresh(connection, chat.row, known[1])
            return Applied(result=answer, row=chat.row, changed=False)
        answer = work(chat)
        applied = finish(chat, answer)
        if applied.changed and not applied.deleted:
            store_answer(connection, key, chat_id, answer, now)
        return applied

    return (await door.transact(transaction)).result
