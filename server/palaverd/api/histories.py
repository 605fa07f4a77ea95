"""Routes that change a chat's history, settings or existence."""

from __future__ import annotations

from aiohttp import web

from palaver.wire.actions import ClearContext, EditMessage, Fork
from palaver.wire.queue import ChangeChat
from palaverd.api.access import Routes, owner_of
from palaverd.api.bodies import answer, asker, chat_id_of, path_id, read_body
from palaverd.api.services import SERVICES
from palaverd.usecases import families, history, settings

routes = Routes()


@routes.patch("/api/v1/chats/{chat_id}/messages/{message_id}", scope="chat")
async def patch_message(request: web.Request) -> web.Response:
    """Replace a user message; it and all after it are dropped."""
    context, chat_id = request.app[SERVICES].context, chat_id_of(request)
    message_id, body = path_id(request, "message_id"), await read_body(request, EditMessage)
    edited = await history.edit_message(context, chat_id, asker(request), message_id, body)
    return answer(edited)


@routes.post("/api/v1/chats/{chat_id}/fork", scope="chat")
async def post_fork(request: web.Request) -> web.Response:
    """Create a chat with the history up to a message."""
    context, chat_id = request.app[SERVICES].context, chat_id_of(request)
    body = await read_body(request, Fork)
    sent = await history.fork_chat(context, chat_id, asker(request), body)
    return answer(sent, status=200 if sent.repeated else 201)


@routes.post("/api/v1/chats/{chat_id}/clear", scope="chat")
async def post_clear(request: web.Request) -> web.Response:
    """Hide the history from the model."""
    context, chat_id = request.app[SERVICES].context, chat_id_of(request)
    body = await read_body(request, ClearContext)
    return answer(await history.clear(context, chat_id, asker(request), body))


@routes.post("/api/v1/chats/{chat_id}/compact", scope="chat")
async def post_compact(request: web.Request) -> web.Response:
    """Request a summary of the context."""
    context = request.app[SERVICES].context
    return answer(await history.compact(context, chat_id_of(request), asker(request)))


@routes.post("/api/v1/chats/{chat_id}/reconcile", scope="chat")
async def post_reconcile(request: web.Request) -> web.Response:
    """Repair a chat in an invalid state."""
    context = request.app[SERVICES].context
    return answer(await families.repair(context, chat_id_of(request), owner_of(request)))


@routes.patch("/api/v1/chats/{chat_id}", scope="chat")
async def patch_chat(request: web.Request) -> web.Response:
    """Change a chat's settings."""
    context, chat_id, owner = request.app[SERVICES].context, chat_id_of(request), owner_of(request)
    body = await read_body(request, ChangeChat)
    return answer(await settings.change_chat(context, chat_id, owner, body))


@routes.delete("/api/v1/chats/{chat_id}", scope="chat")
async def delete_for_good(request: web.Request) -> web.Response:
    """Delete an archived chat and its descendants."""
    context = request.app[SERVICES].context
    await families.delete_chat(context, chat_id_of(request), owner_of(request))
    return web.Response(status=204)
