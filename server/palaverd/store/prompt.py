"""Load the history for a model, in one read."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from palaver.wire.messages import Part
from palaverd.store import codec
from palaverd.store.rows import ChatRow
from palaverd.store.sync import load_chat
from palaverd.store.tables import messages

_OF_CHAT = messages.c.chat_id == bindparam("of_chat")
# Built once: building it takes longer than running it.
_HISTORY = (
    select(
        messages.c.id,
        messages.c.role,
        messages.c.parts,
        messages.c.private,
        messages.c.model,
        messages.c.revision,
        messages.c.created_at,
    )
    .where(
        _OF_CHAT,
        ~messages.c.deleted,
        messages.c.visibility != "user",
        messages.c.role != "system",
        messages.c.id
        >= func.coalesce(
            select(func.max(messages.c.id))
            .where(_OF_CHAT, ~messages.c.deleted, messages.c.boundary)
            .scalar_subquery(),
            0,
        ),
    )
    .order_by(messages.c.id)
)


class PromptMessage(msgspec.Struct, frozen=True):
    """A stored message for the model. `private` is sent back to the provider.

    `revision` is the snapshot that last changed it; `created_at` is in milliseconds.
    """

    id: int
    role: str
    parts: list[Part]
    private: dict[str, str]
    model: str | None
    revision: int = 0
    created_at: int = 0


class History(msgspec.Struct, frozen=True):
    """A chat and the messages that the model may see, oldest first."""

    row: ChatRow
    messages: list[PromptMessage]


def load_history(connection: Connection, chat_id: str) -> History:
    """Read a chat for its next step.

    Raises:
        ChatNotFound: there is no such chat.
    """
    row = load_chat(connection, chat_id)
    found = connection.execute(_HISTORY, {"of_chat": chat_id})
    return History(
        row=row,
        messages=[
            PromptMessage(
                id=one.id,
                role=one.role,
                parts=codec.load_parts(one.parts),
                private=codec.loads(one.private, dict[str, str]) or {},
                model=one.model,
                revision=one.revision,
                created_at=one.created_at,
            )
            for one in found
        ],
    )
