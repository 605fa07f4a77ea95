"""Routes that change what was said, and what becomes of a chat as a whole."""

from __future__ import annotations

from aiohttp import web

from palaver.wire.actions import ClearContext, EditMessage, Fork
from palaver.wire.chats import TITLE_LIMIT
from palaver.wire.queue import ChangeChat
from palaverd.api.access import Routes, owner_of
from palaverd.api.bodies import answer, asker, path_id, read_body
from palaverd.api.chats import known_model, user_message
from palaverd.api.problems import BadRequest
from palaverd.api.services import SERVICES
from palaverd.api.workspaces import found_workspace
from palaverd.store.rows import wire_chat
from palaverd.store.settings import change_chat
from palaverd.usecases.families import delete_chat, repair, set_archived
from palaverd.usecases.history import clear, compact, edit_message, fork_chat

routes = Routes()


@routes.patch("/api/v1/chats/{chat_id}/messages/{message_id}", scope="chat")
async def patch_message(request: web.Request) -> web.Response:
    """Say a user message anew; it and all after it are replaced."""
    services, body = request.app[SERVICES], await read_body(request, EditMessage)
    known_model(services.catalog, body.model)
    edited = await edit_message(
        services.door,
        request.match_info["chat_id"],
        asker(request),
        path_id(request, "message_id"),
        user_message(body.content, body.model, owner_of(request)),
        body.history_version,
    )
    return answer(edited)


@routes.post("/api/v1/chats/{chat_id}/fork", scope="chat")
async def post_fork(request: web.Request) -> web.Response:
    """Begin a new chat with the history up to a message."""
    body = await read_body(request, Fork)
    _check_title(body.title)
    sent = await fork_chat(
        request.app[SERVICES].door,
        request.match_info["chat_id"],
        asker(request),
        body.message_id,
        body.title,
    )
    return answer(sent, status=200 if sent.repeated else 201)


@routes.post("/api/v1/chats/{chat_id}/clear", scope="chat")
async def post_clear(request: web.Request) -> web.Response:
    """Hide what was said so far from the model."""
    body = await read_body(request, ClearContext)
    door, chat_id = request.app[SERVICES].door, request.match_info["chat_id"]
    return answer(await clear(door, chat_id, asker(request), body.history_version))


@routes.post("/api/v1/chats/{chat_id}/compact", scope="chat")
async def post_compact(request: web.Request) -> web.Response:
    """Ask for a summary of what the model sees."""
    door, chat_id = request.app[SERVICES].door, request.match_info["chat_id"]
    return answer(await compact(door, chat_id, asker(request)))


@routes.post("/api/v1/chats/{chat_id}/reconcile", scope="chat")
async def post_reconcile(request: web.Request) -> web.Response:
    """Repair a chat that is in a state that may not exist."""
    door, chat_id = request.app[SERVICES].door, request.match_info["chat_id"]
    return answer(await repair(door, chat_id, owner_of(request)))


@routes.patch("/api/v1/chats/{chat_id}", scope="chat")
async def patch_chat(request: web.Request) -> web.Response:
    """Change what a person may change about a chat."""
    services, body = request.app[SERVICES], await read_body(request, ChangeChat)
    chat_id, owner = request.match_info["chat_id"], owner_of(request)
    known_model(services.catalog, body.model)
    _check_title(body.title)
    if body.archived is not None:
        if (body.title, body.model, body.workspace) != (None, None, None):
            raise BadRequest("Archiving is a request of its own.", field="archived")
        return answer(await set_archived(services.door, chat_id, owner, body.archived))
    workspace = await found_workspace(body.workspace, services.host, owner)
    applied = await services.door.apply(
        chat_id,
        lambda chat: change_chat(chat, title=body.title, model=body.model, workspace=workspace),
        owner=owner,
    )
    return answer(wire_chat(applied.row))


@routes.delete("/api/v1/chats/{chat_id}", scope="chat")
async def delete_for_good(request: web.Request) -> web.Response:
    """Delete an archived chat and its descendants."""
    door, chat_id = request.app[SERVICES].door, request.match_info["chat_id"]
    await delete_chat(door, chat_id, owner_of(request))
    return web.Response(status=204)


def _check_title(title: str | None) -> None:
    if title is not None and not 0 < len(title.strip()) <= TITLE_LIMIT:
        raise BadRequest(f"A title has 1 to {TITLE_LIMIT} characters.", field="title")
