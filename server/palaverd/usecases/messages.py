"""New chats and messages."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from palaver.wire.chats import Sent
from palaverd.chatstate.states import Status
from palaverd.chatstate.table import Transition
from palaverd.store.door import Applied, Door, NewChat, finish, fresh_chat
from palaverd.store.history import NewUserMessage
from palaverd.store.idempotency import find_answer, request_key, store_answer
from palaverd.store.listing import where_is
from palaverd.store.locked import LockedChat
from palaverd.store.rows import ChatRow, wire_chat
from palaverd.store.sync import load_chat
from palaverd.store.transitions.sending import Placed, create, send, send_interrupt
from palaverd.usecases.keyed_requests import Asker, on_chat


async def create_chat(door: Door, new: NewChat, message: NewUserMessage, asker: Asker) -> Sent:
    """Begin a chat. A repeated key gets the first chat.

    Raises:
        KeyReused: the key was used for something else.
        DatabaseError: nothing was changed.
    """
    chat_id = door.new_id()
    key = request_key(asker.owner, asker.key, Transition.CREATE, [new, message])

    def transaction(connection: Connection, now: int) -> Applied[Sent]:
        known = find_answer(connection, key, Sent)
        if known is not None:
            row = load_chat(connection, known[0])
            return Applied(result=_where_now(connection, row, known[1]), row=row, changed=False)
        chat = fresh_chat(connection, chat_id, new, now)
        placed = create(chat, message)
        applied = finish(chat, _sent(chat, placed))
        store_answer(connection, key, chat_id, applied.result, now)
        return applied

    return (await door.transact(transaction)).result


async def send_message(
    door: Door,
    chat_id: str,
    asker: Asker,
    message: NewUserMessage,
    *,
    interrupt: bool = False,
    turn_version: int | None = None,
    position: int | None = None,
) -> Sent:
    """Send to a chat: into history when it is idle, else into its queue.

    A message that interrupts and names a turn that is over is queued: it stops nothing.

    Raises:
        ChatNotFound: there is no such chat of this owner.
        KeyReused: the key was used for something else.
        TransitionError: refused; nothing was changed.
        DatabaseError: nothing was changed.
    """

    def work(chat: LockedChat) -> Sent:
        stale = turn_version is not None and turn_version != chat.row.turn_version
        busy = chat.row.status not in (Status.WAITING, Status.ERROR)
        if interrupt and not (busy and stale):
            return _sent(chat, send_interrupt(chat, message, position))
        return _sent(chat, send(chat, message, position))

    content = [message, interrupt, turn_version, position]
    return await on_chat(door, chat_id, asker, Transition.SEND, content, Sent, work, _where_now)


def _sent(chat: LockedChat, placed: Placed) -> Sent:
    message, queued = where_is(
        chat.connection, chat.row.chat_id, placed.message_id, placed.queued_id
    )
    return Sent(chat=wire_chat(chat.row), message=message, queued=queued)


def _where_now(connection: Connection, row: ChatRow, first: Sent) -> Sent:
    """Find a message that was sent before: queued, in history, or gone."""
    message, queued = where_is(
        connection,
        row.chat_id,
        first.message.id if first.message else None,
        first.queued.id if first.queued else None,
    )
    return msgspec.structs.replace(
        first, chat=wire_chat(row), message=message, queued=queued, repeated=True
    )
