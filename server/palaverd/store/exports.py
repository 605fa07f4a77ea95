"""Read a chat for its export, page by page, as it was when the export began."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, bindparam, func, or_, select

from palaver.wire.messages import Message
from palaverd.store.rows import ChatRow, wire_message
from palaverd.store.sync import load_chat
from palaverd.store.tables import messages

PAGE = 50  # messages in memory at a time, as many as a stream begins with

_LAST_ID = select(func.coalesce(func.max(messages.c.id), 0)).where(
    messages.c.chat_id == bindparam("of_chat")
)
# What was there at a snapshot: a message that was dropped later keeps its content for a while, and
# has the snapshot in which it was dropped.
_PAGE = (
    select(messages)
    .where(
        messages.c.chat_id == bindparam("of_chat"),
        messages.c.visibility != "model",
        messages.c.id > bindparam("after"),
        messages.c.id <= bindparam("last"),
        or_(~messages.c.deleted, messages.c.revision > bindparam("snapshot")),
    )
    .order_by(messages.c.id)
    .limit(PAGE)
)


class ExportStart(msgspec.Struct, frozen=True):
    """A chat when its export began, and the id of its last message then."""

    row: ChatRow
    last_id: int


def begin_export(connection: Connection, chat_id: str, owner: str) -> ExportStart:
    """Return what is to be exported.

    Raises:
        ChatNotFound: this owner has no such chat.
    """
    row = load_chat(connection, chat_id, owner)
    last_id = connection.execute(_LAST_ID, {"of_chat": chat_id}).scalar_one()
    return ExportStart(row, last_id)


def export_page(connection: Connection, start: ExportStart, after: int) -> list[Message]:
    """Return the messages after id `after`, oldest first, at most `PAGE`; none after the last.

    Raises:
        ChatNotFound: the chat was deleted meanwhile, so that its messages are gone.
    """
    load_chat(connection, start.row.chat_id)
    found = connection.execute(
        _PAGE,
        {
            "of_chat": start.row.chat_id,
            "after": after,
            "last": start.last_id,
            "snapshot": start.row.snapshot_version,
        },
    )
    return [wire_message(one) for one in found.mappings()]  # type: ignore[arg-type]
