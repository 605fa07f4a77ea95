"""Run a request on one chat once per idempotency key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from palaver.wire.actions import Answered, Edited
from palaver.wire.chats import Sent
from palaver.wire.messages import Message, QueuedMessage
from palaver.wire.queue import Acted, QueueAnswer
from palaverd.chatstate.table import Transition
from palaverd.store.door import Applied, Door, finish
from palaverd.store.idempotency import Made, find_made, request_key, store_made
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import ChatRow, wire_chat


class Asker(msgspec.Struct, frozen=True):
    """The owner of a request, and its idempotency key, if any."""

    owner: str
    key: str | None = None


Keyed = Sent | Edited | QueueAnswer | Acted | Answered
T = TypeVar("T", bound=Keyed)
# Returns the response to a repeated request: what the first one made, in its current state.
Again = Callable[[Connection, ChatRow, Made], T]


def made_by(answer: Keyed) -> Made:
    """Return the ids of what a request made, from its response."""
    made = Made(answer.chat.id, answer.chat.versions.snapshot)
    match answer:
        case Sent(message=message, queued=queued):
            return replace(made, message_id=_id(message), queued_id=_id(queued))
        case Edited(message=message, dropped_queue=dropped):
            return replace(made, message_id=_id(message), removed=dropped)
        case QueueAnswer(removed=QueuedMessage() as removed):
            return replace(made, removed=[removed])
        case _:
            return made


def _id(message: Message | QueuedMessage | None) -> int | None:
    return None if message is None else message.id


def acted_again(_connection: Connection, row: ChatRow, _made: Made) -> Acted:
    """Return the response to a repeated request that acted, with the chat's current state."""
    return Acted(chat=wire_chat(row), changed=True, repeated=True)


async def on_chat(
    door: Door,
    chat_id: str,
    asker: Asker,
    operation: Transition,
    content: object,
    work: Callable[[LockedChat], T],
    again: Again[T],
) -> T:
    """Run `work` on a chat and return its response, once per key.

    The key is looked up under the lock, before state, limits and archive are checked; only
    successes that changed something are stored.

    Args:
        content: what was requested, to distinguish a repetition from another request with the same
            key.
        again: returns the response to a repetition, from what the first request made.

    Raises:
        ChatNotFound: this owner has no such chat.
        KeyReused: the key was used for something else.
        TransitionError: refused; nothing was changed.
        DatabaseError: nothing was changed.
    """
    key = request_key(asker.owner, asker.key, operation, [chat_id, content])

    def transaction(connection: Connection, now: int) -> Applied[T]:
        chat = lock(connection, chat_id, now, asker.owner)
        made = find_made(connection, key)
        if made is not None:
            answer = again(connection, chat.row, made)
            return Applied(result=answer, row=chat.row, changed=False)
        answer = work(chat)
        applied = finish(chat, answer)
        if applied.changed and not applied.deleted:
            store_made(connection, key, made_by(answer), now)
        return applied

    return (await door.transact(transaction)).result
