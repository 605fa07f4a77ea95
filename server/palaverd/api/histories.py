"""Routes that change a chat's history, settings or existence."""

from __future__ import annotations

from aiohttp import web

from palaver.wire.actions import ClearContext, Edited, EditMessage, Fork
from palaver.wire.bounds import Whole
from palaver.wire.chats import Chat, Sent
from palaver.wire.queue import Acted, ChangeChat, ReadChat
from palaverd.api.access import owner_of
from palaverd.api.declared import Reply
from palaverd.api.problem_kinds import OF_MESSAGES
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.usecases import families, history, settings
from palaverd.usecases.keyed_requests import Asker

routes = Routes()


@routes.patch(
    "/api/v1/chats/{chat_id}/messages/{message_id:[0-9]+}",
    scope="chat",
    problems=(
        *OF_MESSAGES,
        "no_such_message",
        "refused",
        "stale_version",
    ),
)
async def patch_message(
    request: web.Request, chat_id: str, message_id: Whole, asker: Asker, body: EditMessage
) -> Edited:
    """Replace a user message; it and all after it are dropped."""
    context = request.app[SERVICES].context
    return await history.edit_message(context, chat_id, asker, message_id, body)


@routes.post(
    "/api/v1/chats/{chat_id}/fork",
    scope="chat",
    statuses=(201, 200),
    problems=("no_such_message",),
)
async def post_fork(request: web.Request, chat_id: str, asker: Asker, body: Fork) -> Reply[Sent]:
    """Create a chat with the history up to a message. 200: it was created before."""
    sent = await history.fork_chat(request.app[SERVICES].context, chat_id, asker, body)
    return Reply(sent, 200 if sent.repeated else 201)


@routes.post("/api/v1/chats/{chat_id}/clear", scope="chat", problems=("refused", "stale_version"))
async def post_clear(request: web.Request, chat_id: str, asker: Asker, body: ClearContext) -> Acted:
    """Hide the history from the model."""
    return await history.clear(request.app[SERVICES].context, chat_id, asker, body)


@routes.post("/api/v1/chats/{chat_id}/compact", scope="chat", problems=("refused",))
async def post_compact(request: web.Request, chat_id: str, asker: Asker) -> Acted:
    """Request a summary of the context."""
    return await history.compact(request.app[SERVICES].context, chat_id, asker)


@routes.post("/api/v1/chats/{chat_id}/reconcile", scope="chat")
async def post_reconcile(request: web.Request, chat_id: str) -> Acted:
    """Repair a chat in an invalid state."""
    return await families.repair(request.app[SERVICES].context, chat_id, owner_of(request))


@routes.patch("/api/v1/chats/{chat_id}", scope="chat", problems=("unknown_model", "refused"))
async def patch_chat(request: web.Request, chat_id: str, body: ChangeChat) -> Chat:
    """Change a chat's settings."""
    context, owner = request.app[SERVICES].context, owner_of(request)
    return await settings.change_chat(context, chat_id, owner, body)


@routes.post("/api/v1/chats/{chat_id}/read", scope="chat")
async def post_read(request: web.Request, chat_id: str, body: ReadChat) -> Chat:
    """Report a chat as read."""
    context, owner = request.app[SERVICES].context, owner_of(request)
    return await settings.mark_read(context, chat_id, owner, body)


@routes.delete("/api/v1/chats/{chat_id}", scope="chat", statuses=(204,), problems=("refused",))
async def delete_for_good(request: web.Request, chat_id: str) -> None:
    """Delete an archived chat and its descendants."""
    await families.delete_chat(request.app[SERVICES].context, chat_id, owner_of(request))
