"""Hints: notifications after a commit.

A hint of another process is a reason to read the row. A hint of this process has the row with it,
as committed, which saves the read.
"""

from __future__ import annotations

import msgspec

from palaverd.chatstate.states import RUNNABLE
from palaverd.store.rows import ChatRow


class Hint(msgspec.Struct, frozen=True):
    """The versions, status and runner of a chat after a commit; `row` is None if it must be read.

    The row is shared: receivers do not change it.
    """

    chat_id: str
    owner: str
    status: str
    archived: bool
    runner_id: str | None
    snapshot_version: int
    history_version: int
    retry_version: int
    ownerless: bool
    deleted: bool = False
    row: ChatRow | None = None


def commit_hint(row: ChatRow, *, deleted: bool = False) -> Hint:
    """Return the hint of a row that was just committed, to be published at once."""
    return msgspec.structs.replace(hint_of(row), deleted=deleted, row=row)


def deletion_hint(chat_id: str, owner: str = "") -> Hint:
    """Return the hint of a chat that is no longer in the database.

    It is for the subscribers of the chat, and of `owner`, if it is known.
    """
    return Hint(
        chat_id=chat_id,
        owner=owner,
        status="",
        archived=False,
        runner_id=None,
        snapshot_version=0,
        history_version=0,
        retry_version=0,
        ownerless=False,
        deleted=True,
    )


def hint_of(row: ChatRow) -> Hint:
    """Return the hint of a row that was read; it may be old when it arrives."""
    return Hint(
        chat_id=row.chat_id,
        owner=row.owner,
        status=row.status,
        archived=row.archived,
        runner_id=row.runner_id,
        snapshot_version=row.snapshot_version,
        history_version=row.history_version,
        retry_version=row.retry_version,
        ownerless=row.runner_id is None and row.state in RUNNABLE,
    )
