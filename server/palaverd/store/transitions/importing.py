"""The transition that fills a new chat with an imported history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from palaverd.chatstate.table import Transition
from palaverd.store.history import NewMessage, insert_messages
from palaverd.store.locked import LockedChat


def import_history(chat: LockedChat, batches: Iterable[Sequence[NewMessage]]) -> None:
    """Fill a new chat with messages, oldest first, one batch at a time.

    Calls without a result at the end stay open: the next message closes them.
    """
    with chat.transition(Transition.IMPORT):
        row = chat.row
        row.history_version = row.turn_version = row.snapshot_version
        chat.flush()
        for batch in batches:
            insert_messages(chat, batch)
        row.news_version = 0  # who imports a chat knows it
