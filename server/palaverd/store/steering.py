"""Messages that steer: they wait in the queue, and join the turn after the results of a step.

The mark of such a message is the turn that it steers. It has a meaning only while that is the
chat's turn, so that nothing has to be written when the turn ends.
"""

from __future__ import annotations

from itertools import takewhile

from msgspec.structs import replace
from sqlalchemy import bindparam, select

from palaverd.store.history import (
    LAST_USER,
    from_user,
    insert_messages,
    open_calls,
    take_from_queue,
)
from palaverd.store.locked import LockedChat
from palaverd.store.tables import messages, queued_messages

_QUEUE = (
    select(queued_messages.c.id, queued_messages.c.steer_turn)
    .where(queued_messages.c.chat_id == bindparam("of_chat"))
    .order_by(queued_messages.c.position, queued_messages.c.id)
)
_MODEL_OF_TURN = select(messages.c.model).where(messages.c.id == LAST_USER)


def place_of_next(chat: LockedChat) -> int:
    """Return the place in the queue of the next message that steers: behind those at the head."""
    return sum(1 for _ in takewhile(lambda one: one[1], _queue(chat)))


def take_steers(chat: LockedChat) -> None:
    """Move what steers this turn into history, in the queue's order, even if that is held.

    Nothing is moved while a call has no result: a provider refuses a message between them. The
    turn goes on, with the model that it began with.
    """
    if chat.row.queue_length == 0:
        return
    steers = [queued_id for queued_id, steers in _queue(chat) if steers]
    if not steers or open_calls(chat.connection, chat.row.chat_id):
        return
    model = chat.connection.execute(_MODEL_OF_TURN, {"of_chat": chat.row.chat_id}).scalar()
    taken = []
    for queued_id in steers:
        message = take_from_queue(chat, queued_id)
        assert message is not None
        taken.append(from_user(replace(message, model=model), queued_id))
    insert_messages(chat, taken)


def _queue(chat: LockedChat) -> list[tuple[int, bool]]:
    """Return the ids of the queued messages in order, and whether each steers this turn."""
    found = chat.connection.execute(_QUEUE, {"of_chat": chat.row.chat_id})
    return [(one.id, one.steer_turn == chat.row.turn_version) for one in found]
