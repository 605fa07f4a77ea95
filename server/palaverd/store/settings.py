"""Change a chat's title, model, workspace, mode or labels: no execution state, but published."""

from __future__ import annotations

from sqlalchemy import update

from palaver.wire.chats import Mode, Workspace
from palaverd.store.history import LAST_USER
from palaverd.store.locked import LockedChat
from palaverd.store.tables import messages


def change_chat(
    chat: LockedChat,
    *,
    title: str | None,
    model: str | None,
    workspace: Workspace | None = None,
    mode: Mode | None = None,
    labels: dict[str, str] | None = None,
) -> None:
    """Set a chat's title, model, workspace, mode or labels; None leaves it unchanged.

    A new model ends a wait for a retry: the next attempt uses it at once, even if the message had
    chosen a model of its own.
    """
    chat.note_change()
    row = chat.row
    if title is not None:
        row.title = title.strip()
        row.title_by_person = True
    if workspace is not None:
        row.workspace_host, row.workspace_path = workspace.host, workspace.path
    if mode is not None:
        row.mode = mode
    if labels is not None:
        row.labels = labels
    if model is None:
        return
    row.model = model
    if row.retry is not None:
        row.retry = None
        row.retry_version = row.snapshot_version
        _choose_for_turn(chat, model)


def _choose_for_turn(chat: LockedChat, model: str) -> None:
    """Replace the model of the current turn's message, if it had chosen one.

    The history version is unchanged, since nothing that is shown or sent changed.
    """
    chat.connection.execute(
        update(messages)
        .where(messages.c.id == LAST_USER, messages.c.model.is_not(None))
        .values(model=model, revision=chat.row.snapshot_version),
        {"of_chat": chat.row.chat_id},
    )
