"""What both streams do about a read that fails: they tell the client, and read again."""

from __future__ import annotations

from typing import Final

from palaver.wire.errors import ChatError
from palaverd.store.database import DatabaseError

READ_RETRY_S: Final = 1.0  # between reads of a database that fails


def read_failed(error: DatabaseError) -> ChatError:
    """Return what the client is told."""
    return ChatError(kind="generic", message=error.sentence, retryable=True)
