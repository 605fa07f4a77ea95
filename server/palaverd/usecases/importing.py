"""Use case: a new chat with the history of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Final

import msgspec
from sqlalchemy import Connection

from palaver.wire.chats import Sent
from palaver.wire.exports import ImportedChat, ImportedMessage
from palaver.wire.messages import (
    Boundary,
    Failure,
    File,
    Part,
    Reasoning,
    Role,
    Source,
    Text,
    ToolCall,
    ToolResult,
)
from palaverd.chatstate.table import Transition
from palaverd.store import codec
from palaverd.store.door import Applied, NewChat, finish, fresh_chat
from palaverd.store.history import NewMessage
from palaverd.store.idempotency import find_made, request_key, store_made
from palaverd.store.rows import wire_chat
from palaverd.store.sync import load_chat
from palaverd.store.transitions.importing import import_history
from palaverd.usecases.context import Context
from palaverd.usecases.errors import InvalidRequest
from palaverd.usecases.keyed_requests import Asker, made_by
from palaverd.usecases.labels import check_labels, merged
from palaverd.usecases.titles import check_title

# The parts that messages of a role may have. A part that an export could not read became a text.
_PARTS: Final[Mapping[Role, tuple[type[Part], ...]]] = {
    "user": (Text, File),
    "assistant": (Text, Reasoning, ToolCall, Source),
    "tool": (Text, ToolResult),
    "system": (Text, Boundary, Failure),
}


class Imported(msgspec.Struct, frozen=True):
    """A document to import: the chat, its messages, and the document's SHA-256.

    `batches` returns the messages anew each time, oldest first, a few at a time.
    """

    chat: ImportedChat
    batches: Callable[[], Iterator[Sequence[ImportedMessage]]]
    digest: str


async def import_chat(context: Context, asker: Asker, document: Imported) -> Sent:
    """Create a chat with the history of a checked document. A repeated key returns it again.

    The chat waits; its model need not be configured here, as that of an older chat.

    Raises:
        KeyReused: the key was used for something else.
        DatabaseError: nothing was changed.
    """
    new = NewChat(
        owner=asker.owner,
        title=document.chat.title,
        title_by_person=True,
        system_prompt=document.chat.system_prompt,
        model=document.chat.model,
        labels=document.chat.labels,
    )
    new_id = context.door.new_id()
    key = request_key(asker.owner, asker.key, Transition.IMPORT, document.digest)

    def transaction(connection: Connection, now: int) -> Applied[Sent]:
        made = find_made(connection, key)
        if made is not None:
            row = load_chat(connection, made.chat_id)
            return Applied(Sent(chat=wire_chat(row), repeated=True), row=row, changed=False)
        chat = fresh_chat(connection, new_id, new, now)
        chat.row.created_at = codec.to_ms(document.chat.created_at)
        import_history(chat, ([_new(one, asker) for one in batch] for batch in document.batches()))
        chat.row.updated_at = now
        applied = finish(chat, Sent(chat=wire_chat(chat.row)))
        store_made(connection, key, made_by(applied.result), now)
        return applied

    return (await context.door.transact(transaction)).result


def _new(message: ImportedMessage, asker: Asker) -> NewMessage:
    return NewMessage(
        role=message.role,
        parts=list(message.parts),
        visibility=message.visibility,
        model=message.model,
        finish=message.finish,
        usage=message.usage,
        cost_micros=message.cost_micros,
        runtime_ms=message.runtime_ms,
        created_by=asker.owner if message.role == "user" else None,
        created_at=codec.to_ms(message.created_at),
        boundary=any(isinstance(part, Boundary) for part in message.parts),
    )


def check_import(document: Imported) -> None:
    """Check all messages of a document. This takes seconds for the longest: call it in a thread.

    Raises:
        InvalidRequest: a field is invalid; it is named.
    """
    try:
        check_title(document.chat.title)
        check_labels(document.chat.labels)
        merged({}, document.chat.labels)
    except InvalidRequest as error:
        raise InvalidRequest(str(error), f"chat.{error.field}") from None
    _check_moment(document.chat.created_at, "chat.created_at")
    open_calls: set[str] = set()
    for number, message in enumerate(chain.from_iterable(document.batches())):
        _check_message(message, f"messages[{number}]", open_calls)


def _check_message(message: ImportedMessage, place: str, open_calls: set[str]) -> None:
    """Check a message, and update the calls that have no result yet."""
    _check_moment(message.created_at, f"{place}.created_at")
    allowed = _PARTS[message.role]
    for number, part in enumerate(message.parts):
        if not isinstance(part, allowed):
            kinds = ", ".join(str(kind.__struct_config__.tag) for kind in allowed)
            tag = part.__struct_config__.tag
            raise InvalidRequest(
                f"{place}.parts[{number}] is a {tag}: a message of the role {message.role} has"
                f" {kinds} only.",
                f"{place}.parts[{number}].type",
            )
    if message.role == "user" and open_calls:
        call = min(open_calls)
        raise InvalidRequest(
            f"{place} is a user's, but the call {call} before it has no result.", f"{place}.role"
        )
    open_calls |= {part.id for part in message.parts if isinstance(part, ToolCall)}
    open_calls -= {part.call_id for part in message.parts if isinstance(part, ToolResult)}


def _check_moment(moment: datetime, place: str) -> None:
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise InvalidRequest(f"{place} is not in the years 1 to 9999 in UTC.", place) from None
