"""What a person changes about a chat. It is not execution state, but watchers must hear of it."""

from __future__ import annotations

from sqlalchemy import func, select, update

from palaver.wire.chats import Workspace
from palaverd.store.locked import LockedChat
from palaverd.store.tables import messages


def change_chat(
    chat: LockedChat,
    *,
    title: str | None,
    model: str | None,
    workspace: Workspace | None = None,
) -> None:
    """Give a chat a title, a model or a workspace; None leaves it as it is.

    A new model ends a wait for a retry: the next attempt is made with it at once, also where
    the message had chosen a model of its own.
    """
    chat.note_change()
    row = chat.row
    if title is not None:
        row.title = title.strip()
        row.title_by_person = True
    if workspace is not None:
        row.workspace_host, row.workspace_path = workspace.host, workspace.path
    if model is None:
        return
    row.model = model
    if row.retry is not None:
        row.retry = None
        row.retry_version = row.snapshot_version
        _choose_for_turn(chat, model)


def _choose_for_turn(chat: LockedChat, model: str) -> None:
    """Let the message of the present turn ask for this model, if it asked for another.

    The history version stays: nothing that is shown or sent has changed, only who is asked.
    """
    last = (
        select(func.max(messages.c.id))
        .where(
            messages.c.chat_id == chat.row.chat_id,
            messages.c.role == "user",
            ~messages.c.deleted,
        )
        .scalar_subquery()
    )
    chat.connection.execute(
        update(messages)
        .where(messages.c.id == last, messages.c.model.is_not(None))
        .values(model=model, revision=chat.row.snapshot_version)
    )
