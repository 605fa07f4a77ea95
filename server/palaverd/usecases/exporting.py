"""Use case: a chat as a document, read page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from functools import partial
from typing import Final, Protocol

import msgspec

from palaver.wire.exports import ExportedChat, ExportKind
from palaver.wire.messages import Message
from palaverd.exporting.json_document import JsonDocument
from palaverd.exporting.markdown import MarkdownDocument
from palaverd.store import codec
from palaverd.store.exports import ExportStart, begin_export, export_page
from palaverd.usecases.context import Context


class _Document(Protocol):
    """Encodes an export piece by piece."""

    def begin(self, chat: ExportedChat, now: datetime) -> bytes: ...

    def message(self, message: Message) -> bytes: ...

    def end(self) -> bytes: ...


_DOCUMENTS: Final[dict[ExportKind, type[_Document]]] = {
    "json": JsonDocument,
    "md": MarkdownDocument,
}


class Export(msgspec.Struct, frozen=True):
    """An export: the chat's title, and the document, which is read while it is iterated."""

    title: str
    pieces: AsyncGenerator[bytes]


async def export_chat(context: Context, chat_id: str, owner: str, kind: ExportKind) -> Export:
    """Export a chat as it is now, whatever changes while the document is read.

    Raises:
        ChatNotFound: this owner has no such chat; also if it is deleted while the document is read.
        DatabaseError: it cannot be read; also while the document is read.
    """
    read = context.door.database.read
    start = await read(lambda c: begin_export(c, chat_id, owner))
    return Export(start.row.title, _pieces(context, start, _DOCUMENTS[kind]()))


async def _pieces(
    context: Context, start: ExportStart, document: _Document
) -> AsyncGenerator[bytes]:
    row = start.row
    chat = ExportedChat(
        title=row.title,
        created_at=codec.from_ms(row.created_at),
        model=row.model,
        system_prompt=row.system_prompt,
        labels=row.labels,
    )
    yield document.begin(chat, codec.from_ms(context.door.now_ms()))
    after = 0
    while page := await context.door.database.read(partial(export_page, start=start, after=after)):
        for message in page:
            yield document.message(message)
        after = page[-1].id
    yield document.end()
