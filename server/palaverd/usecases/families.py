"""Use cases of a chat with its descendants: archive, unarchive, delete; and repairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from palaver.wire.chats import Chat
from palaver.wire.queue import Acted
from palaverd.store.door import Applied, finish
from palaverd.store.locked import LockedChat, lock
from palaverd.store.rows import wire_chat
from palaverd.store.transitions.archive import archive, delete_family, family, unarchive
from palaverd.store.transitions.reconcile import reconcile
from palaverd.usecases.context import Context


async def set_archived(context: Context, chat_id: str, owner: str, archived: bool) -> Chat:
    """Archive or unarchive a chat with its descendants, in one transaction.

    Raises:
        ChatNotFound: this owner has no such chat.
        Refused: one of them is busy, or its parent is archived; nothing was changed.
    """

    def work(members: Sequence[LockedChat]) -> None:
        root = members[0]
        if archived:
            archive(members)
            return
        parent_id = root.row.parent_id
        parent = lock(root.connection, parent_id, root.now) if parent_id else None
        unarchive(members, parent)

    return wire_chat((await _on_family(context, chat_id, owner, work)).row)


async def delete_chat(context: Context, chat_id: str, owner: str) -> None:
    """Delete an archived chat and its descendants permanently.

    Raises:
        ChatNotFound: this owner has no such chat.
        Refused: it, or a descendant, is not archived; nothing was changed.
    """
    await _on_family(context, chat_id, owner, delete_family)


async def _on_family(
    context: Context, chat_id: str, owner: str, work: Callable[[Sequence[LockedChat]], None]
) -> Applied[None]:
    def transaction(connection: Connection, now: int) -> Applied[None]:
        members = family(connection, chat_id, now, owner)
        work(members)
        members[0].others = members[1:]
        return finish(members[0], None)

    return await context.door.transact(transaction)


async def repair(context: Context, chat_id: str, owner: str) -> Acted:
    """Repair a chat in an invalid state; it ends in an error that users can continue from.

    Raises:
        ChatNotFound: this owner has no such chat.
    """
    applied = await context.door.apply(chat_id, reconcile, owner=owner)
    wrong = applied.result
    reason = "; ".join(wrong) if wrong else "Nothing is wrong with this chat."
    return Acted(chat=wire_chat(applied.row), changed=applied.changed, reason=reason)
