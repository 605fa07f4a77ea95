"""Use cases of a chat's title, model, workspace, mode, labels, pin, read cursor and archiving."""

from __future__ import annotations

import msgspec

from palaver.wire.chats import PIN_LIMIT, Chat
from palaver.wire.queue import ChangeChat, ReadChat
from palaverd.store import read_cursor, settings
from palaverd.store.locked import LockedChat
from palaverd.store.pins import TooManyPins, pin
from palaverd.store.rows import wire_chat
from palaverd.usecases.context import Context
from palaverd.usecases.errors import InvalidRequest
from palaverd.usecases.families import set_archived
from palaverd.usecases.labels import check_labels, merged
from palaverd.usecases.models import check_model
from palaverd.usecases.titles import check_title
from palaverd.usecases.workspaces import find_workspace


async def change_chat(context: Context, chat_id: str, owner: str, change: ChangeChat) -> Chat:
    """Change a chat's settings; None keeps a value.

    Raises:
        InvalidRequest: the model, title, workspace or a label is invalid, too many chats are
            pinned, or archiving is combined with another change.
        ChatNotFound, TransitionError, DatabaseError: nothing was changed.
    """
    check_model(context, change.model)
    check_title(change.title)
    check_labels(change.labels)
    if change.archived is not None:
        if msgspec.structs.replace(change, archived=None) != ChangeChat():
            raise InvalidRequest("Archiving is a request of its own.", "archived")
        return await set_archived(context, chat_id, owner, change.archived)
    workspace = await find_workspace(change.workspace, context.host, owner)

    def work(chat: LockedChat) -> None:
        if msgspec.structs.replace(change, pin_order=msgspec.UNSET) != ChangeChat():
            settings.change_chat(
                chat,
                title=change.title,
                model=change.model,
                workspace=workspace,
                mode=change.mode,
                labels=merged(chat.row.labels, change.labels),
            )
        if change.pin_order is not msgspec.UNSET:
            _pin(chat, change.pin_order)

    return wire_chat((await context.door.apply(chat_id, work, owner=owner)).row)


def _pin(chat: LockedChat, place: int | None) -> None:
    try:
        pin(chat, place)
    except TooManyPins:
        raise InvalidRequest(
            f"{PIN_LIMIT} chats are pinned, and no more can be; unpin another one first.",
            "pin_order",
        ) from None


async def mark_read(context: Context, chat_id: str, owner: str, request: ReadChat) -> Chat:
    """Report a chat as read up to a snapshot; it never counts as read less than before.

    Raises:
        ChatNotFound, DatabaseError: nothing was changed.
    """
    applied = await context.door.apply(
        chat_id, lambda chat: read_cursor.mark_read(chat, request.snapshot_version), owner=owner
    )
    return wire_chat(applied.row)
