"""The read cursor of a chat: the snapshot up to which its owner has read it."""

from __future__ import annotations

from palaverd.store.locked import LockedChat


def mark_read(chat: LockedChat, snapshot: int | None) -> None:
    """Move the cursor to a snapshot, at most the present one; None is the present one.

    It never goes back. Nothing is written if the chat is read already, so that clients which show
    the same chat cost one write together.
    """
    row = chat.row
    reached = row.snapshot_version if snapshot is None else min(snapshot, row.snapshot_version)
    if row.unread and reached > row.read_version:
        row.read_version = reached
        chat.note_change()
