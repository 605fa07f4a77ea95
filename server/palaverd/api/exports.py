"""Routes that export a chat, and import one."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
from aiohttp import web

from palaver.wire.chats import Sent
from palaver.wire.exports import IMPORT_LIMIT, ExportKind, ImportChat
from palaverd.api.access import owner_of
from palaverd.api.declared import Reply
from palaverd.api.imports import read_import
from palaverd.api.long_answers import saved_as, send_pieces
from palaverd.api.received import pieces
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.file_folder import ReceivedFile
from palaverd.usecases.exporting import export_chat
from palaverd.usecases.importing import Imported, check_import, import_chat
from palaverd.usecases.keyed_requests import Asker

routes = Routes()

_TYPES: Final[dict[ExportKind, str]] = {
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
}


class ExportAs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The format of an export: Markdown to read, JSON to import."""

    format: ExportKind = "md"


@routes.get("/api/v1/chats/{chat_id}/export", scope="read", media="application/json, text/markdown")
async def get_export(request: web.Request, chat_id: str, query: ExportAs) -> web.StreamResponse:
    """Export a chat with all messages that users see."""
    context, owner = request.app[SERVICES].context, owner_of(request)
    export = await export_chat(context, chat_id, owner, query.format)
    headers = {"Content-Type": _TYPES[query.format]}
    response = web.StreamResponse(headers=headers | saved_as(f"{export.title}.{query.format}"))
    return await send_pieces(request, response, export.pieces)


@routes.post("/api/v1/imports", scope="chat", statuses=(201, 200), receives=ImportChat)
async def post_import(request: web.Request, asker: Asker) -> Reply[Sent]:
    """Create a chat from an export in JSON; it waits. 200: it was created before."""
    services = request.app[SERVICES]
    async with services.files.receive() as received:
        async for piece in pieces(request, IMPORT_LIMIT):
            await received.write(piece)
        document = await asyncio.to_thread(_checked, received)
        sent = await import_chat(services.context, asker, document)
    return Reply(sent, 200 if sent.repeated else 201)


def _checked(received: ReceivedFile) -> Imported:
    document = read_import(received.path, received.digest)
    check_import(document)
    return document
