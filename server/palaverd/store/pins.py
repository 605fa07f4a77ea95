"""The order of an owner's pinned chats: places from 0, without gaps."""

from __future__ import annotations

from sqlalchemy import select

from palaver.wire.chats import PIN_LIMIT
from palaverd.store.locked import LockedChat, lock
from palaverd.store.tables import chats


class TooManyPins(Exception):
    """As many chats are pinned as may be."""


def pin(chat: LockedChat, place: int | None) -> None:
    """Pin a chat at `place` (from 0) among the pinned ones, or move it there; None unpins it.

    Archived chats have an order of their own. The other chats whose places change are changed in
    the same transaction, so that requests of two clients end in one order.

    Raises:
        TooManyPins: `PIN_LIMIT` chats are pinned.
    """
    row = chat.row
    found = chat.connection.execute(
        select(chats.c.id, chats.c.pin_order)
        .where(chats.c.owner == row.owner, chats.c.pin_order.is_not(None))
        .where(chats.c.archived.is_(row.archived), chats.c.id != row.chat_id)
        .order_by(chats.c.pin_order, chats.c.id)
    )
    places = {str(chat_id): int(order) for chat_id, order in found}
    order = list(places)
    if place is not None:
        if len(order) >= PIN_LIMIT:
            raise TooManyPins
        place = min(place, len(order))
        order.insert(place, row.chat_id)
    _put(chat, place)
    for new, chat_id in enumerate(order):
        if chat_id != row.chat_id and places[chat_id] != new:
            other = lock(chat.connection, chat_id, chat.now)
            _put(other, new)
            chat.others.append(other)


def _put(chat: LockedChat, place: int | None) -> None:
    if chat.row.pin_order != place:
        chat.row.pin_order = place
        chat.note_change()
