"""Archive, unarchive and delete a chat with its descendants."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from palaverd.chatstate.errors import Refused
from palaverd.chatstate.table import Transition, outcomes
from palaverd.store.locked import LockedChat, lock
from palaverd.store.tables import chats


def family(connection: Connection, chat_id: str, now: int, owner: str) -> list[LockedChat]:
    """Lock a chat and all its descendants, parents before children.

    Raises:
        ChatNotFound: this owner has no such chat.
    """
    locked = [lock(connection, chat_id, now, owner)]
    for chat in locked:  # it grows by the children of each
        locked += [lock(connection, child, now) for child in children(connection, chat.row.chat_id)]
    return locked


def children(connection: Connection, chat_id: str) -> list[str]:
    """Return the ids of a chat's children, oldest first."""
    return list(
        connection.execute(
            select(chats.c.id)
            .where(chats.c.parent_id == chat_id)
            .order_by(chats.c.created_at, chats.c.id)
        ).scalars()
    )


def archive(chats_of_family: Sequence[LockedChat]) -> None:
    """Archive a chat with its descendants, or none of them.

    Raises:
        Refused: one of them is busy; it is named.
    """
    root = chats_of_family[0]
    _refuse_busy(chats_of_family)
    name = f"{root.row.chat_id}:{root.row.snapshot_version + 1}"
    for chat in chats_of_family:
        if chat.row.archived:
            continue  # archived before on its own: unarchiving the family leaves it archived
        with chat.transition(Transition.ARCHIVE):
            chat.row.archived = True
            chat.row.archiving = name


def unarchive(chats_of_family: Sequence[LockedChat], parent: LockedChat | None) -> None:
    """Unarchive a chat, and the descendants that were archived with it.

    Raises:
        Refused: its parent is archived.
    """
    root = chats_of_family[0]
    if parent is not None and parent.row.archived:
        raise Refused(
            Transition.UNARCHIVE, root.row.state, "its parent is archived; bring that back first"
        )
    name = root.row.archiving
    for chat in chats_of_family:
        if chat is root or (chat.row.archived and chat.row.archiving == name):
            with chat.transition(Transition.UNARCHIVE):
                chat.row.archived = False
                chat.row.archiving = None


def delete_family(chats_of_family: Sequence[LockedChat]) -> None:
    """Delete an archived chat and its descendants, with all rows.

    Raises:
        Refused: one of them is not archived.
    """
    for chat in chats_of_family:
        if not outcomes(Transition.DELETE, chat.row.state):
            raise Refused(Transition.DELETE, chat.row.state, "only an archived chat can be deleted")
    for chat in reversed(chats_of_family):
        chat.delete()


def _refuse_busy(chats_of_family: Sequence[LockedChat]) -> None:
    root = chats_of_family[0]
    for chat in chats_of_family:
        busy = not chat.row.archived and not outcomes(Transition.ARCHIVE, chat.row.state)
        if busy:
            whose = "it" if chat is root else f"its child {chat.row.chat_id}"
            raise Refused(Transition.ARCHIVE, root.row.state, f"{whose} is busy; stop it first")
    if root.row.archived:
        raise Refused(Transition.ARCHIVE, root.row.state, "it is archived already")
