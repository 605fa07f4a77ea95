"""The chats of calls, as far as it matters to what a call has left running."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, select

from palaverd.store.calls import RunState, stored_calls
from palaverd.store.tables import chats


class Owner(msgspec.Struct, frozen=True):
    """A call's chat. `state` is the call's in the journal, None if it is not in it."""

    status: str
    archived: bool
    state: RunState | None


def owners(
    connection: Connection, calls: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Owner | None]:
    """Return the owner of each call, by chat and call; None if its chat is gone."""
    return {call: _owner(connection, *call) for call in calls}


def _owner(connection: Connection, chat_id: str, call_id: str) -> Owner | None:
    chat = connection.execute(
        select(chats.c.status, chats.c.archived).where(chats.c.id == chat_id)
    ).first()
    if chat is None:
        return None
    stored = stored_calls(connection, chat_id, [call_id]).get(call_id)
    return Owner(chat.status, bool(chat.archived), None if stored is None else stored.state)
