"""What clients ask of the door, each with its idempotency key, in one transaction."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from palaver.wire.chats import Sent
from palaverd.chatstate.errors import ChatNotFound
from palaverd.chatstate.states import Status
from palaverd.store.door import Applied, Door, NewChat, finish, fresh_chat
from palaverd.store.history import NewUserMessage
from palaverd.store.idempotency import Known, RequestKey, find_key, store_key
from palaverd.store.listing import where_is
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import ChatRow, wire_chat
from palaverd.store.sync import load_chat
from palaverd.store.transitions.sending import Placed, create, send, send_interrupt


async def create_chat(
    door: Door, new: NewChat, message: NewUserMessage, key: RequestKey | None
) -> Sent:
    """Begin a chat. A repeated key gets the first chat.

    Raises:
        KeyReused: the key was used for something else.
        DatabaseError: nothing was changed.
    """
    chat_id = door.new_id()

    def work(connection: Connection, now: int) -> Applied[Sent]:
        known = find_key(connection, key) if key is not None else None
        if known is not None:
            return _repeated(connection, load_chat(connection, known.chat_id), known)
        chat = fresh_chat(connection, chat_id, new, now)
        return _placed(chat, create(chat, message), key)

    return (await door.transact(work)).result


async def send_message(
    door: Door,
    chat_id: str,
    owner: str,
    message: NewUserMessage,
    *,
    interrupt: bool,
    turn_version: int | None,
    position: int | None,
    key: RequestKey | None,
) -> Sent:
    """Send to a chat: into history when it is idle, else into its queue.

    A message that interrupts and names a turn that is over is queued: it stops nothing.

    Raises:
        ChatNotFound: there is no such chat of this owner.
        KeyReused: the key was used for something else.
        TransitionError: refused; nothing was changed.
        DatabaseError: nothing was changed.
    """

    def apply(chat: LockedChat) -> Placed:
        stale = turn_version is not None and turn_version != chat.row.turn_version
        busy = chat.row.status not in (Status.WAITING, Status.ERROR)
        if interrupt and not (busy and stale):
            return send_interrupt(chat, message)
        return send(chat, message, position)

    return await _keyed(door, chat_id, owner, apply, key)


async def _keyed(
    door: Door,
    chat_id: str,
    owner: str,
    apply: Callable[[LockedChat], Placed],
    key: RequestKey | None,
) -> Sent:
    def work(connection: Connection, now: int) -> Applied[Sent]:
        chat = lock(connection, chat_id, now)
        if chat.row.owner != owner:
            raise ChatNotFound(chat_id)
        known = find_key(connection, key) if key is not None else None
        if known is not None:
            return _repeated(connection, chat.row, known)
        return _placed(chat, apply(chat), key)

    return (await door.transact(work)).result


def _placed(chat: LockedChat, placed: Placed, key: RequestKey | None) -> Applied[Sent]:
    known = Known(chat.row.chat_id, placed.message_id, placed.queued_id)
    if key is not None:
        store_key(chat.connection, key, known, chat.now)
    applied = finish(chat, None)
    return Applied(
        result=_sent(chat.connection, chat.row, known), row=applied.row, changed=applied.changed
    )


def _repeated(connection: Connection, row: ChatRow, known: Known) -> Applied[Sent]:
    sent = msgspec.structs.replace(_sent(connection, row, known), repeated=True)
    return Applied(result=sent, row=row, changed=False)


def _sent(connection: Connection, row: ChatRow, known: Known) -> Sent:
    message, queued = where_is(connection, known.chat_id, known.message_id, known.queued_id)
    return Sent(chat=wire_chat(row), message=message, queued=queued)
