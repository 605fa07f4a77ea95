"""Use cases of a chat's title, model, workspace and archiving."""

from __future__ import annotations

from palaver.wire.chats import Chat
from palaver.wire.queue import ChangeChat
from palaverd.store import settings
from palaverd.store.rows import wire_chat
from palaverd.usecases.context import Context
from palaverd.usecases.errors import InvalidRequest
from palaverd.usecases.families import set_archived
from palaverd.usecases.models import check_model
from palaverd.usecases.titles import check_title
from palaverd.usecases.workspaces import find_workspace


async def change_chat(context: Context, chat_id: str, owner: str, change: ChangeChat) -> Chat:
    """Change a chat's settings; None keeps a value.

    Raises:
        InvalidRequest: the model, title or workspace is invalid, or archiving is combined with
            another change.
        ChatNotFound, TransitionError, DatabaseError: nothing was changed.
    """
    check_model(context, change.model)
    check_title(change.title)
    if change.archived is not None:
        if (change.title, change.model, change.workspace) != (None, None, None):
            raise InvalidRequest("Archiving is a request of its own.", "archived")
        return await set_archived(context, chat_id, owner, change.archived)
    workspace = await find_workspace(change.workspace, context.host, owner)
    applied = await context.door.apply(
        chat_id,
        lambda chat: settings.change_chat(
            chat, title=change.title, model=change.model, workspace=workspace
        ),
        owner=owner,
    )
    return wire_chat(applied.row)
