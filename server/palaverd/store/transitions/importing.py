"""The transition that fills a new chat with an imported history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import insert

from palaverd.chatstate.table import Transition
from palaverd.store.history import NewMessage, row_of
from palaverd.store.locked import LockedChat
from palaverd.store.tables import messages

_INSERT = insert(messages)


def import_history(chat: LockedChat, batches: Iterable[Sequence[NewMessage]]) -> None:
    """Fill a new chat with messages, oldest first, one batch at a time.

    Calls without a result at the end stay open: the next message closes them.
    """
    with chat.transition(Transition.IMPORT):
        row = chat.row
        row.history_version = row.turn_version = row.snapshot_version
        chat.flush()
        for batch in batches:
            chat.connection.execute(_INSERT, [row_of(chat, message) for message in batch])
