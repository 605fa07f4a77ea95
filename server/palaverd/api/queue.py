"""Routes of the queue."""

from __future__ import annotations

from aiohttp import web

from palaver.wire.queue import EditQueued, Promote, QueueOrder
from palaverd.api.access import Routes, owner_of
from palaverd.api.bodies import answer, asker, chat_id_of, path_id, read_body
from palaverd.api.services import SERVICES
from palaverd.usecases import queue

routes = Routes()


@routes.patch("/api/v1/chats/{chat_id}/queue/{queued_id}", scope="chat")
async def patch_queued(request: web.Request) -> web.Response:
    """Replace a queued message's content; its position is kept."""
    context, chat_id, owner = request.app[SERVICES].context, chat_id_of(request), owner_of(request)
    queued_id, change = path_id(request, "queued_id"), await read_body(request, EditQueued)
    return answer(await queue.edit_queued(context, chat_id, owner, queued_id, change))


@routes.delete("/api/v1/chats/{chat_id}/queue/{queued_id}", scope="chat")
async def delete_from_queue(request: web.Request) -> web.Response:
    """Remove a message from the queue; the response contains it."""
    context, chat_id = request.app[SERVICES].context, chat_id_of(request)
    queued_id = path_id(request, "queued_id")
    return answer(await queue.take_back(context, chat_id, asker(request), queued_id))


@routes.post("/api/v1/chats/{chat_id}/queue/{queued_id}/promote", scope="chat")
async def post_promote(request: web.Request) -> web.Response:
    """Make a queued message the next one."""
    context, chat_id, owner = request.app[SERVICES].context, chat_id_of(request), owner_of(request)
    queued_id, body = path_id(request, "queued_id"), await read_body(request, Promote)
    return answer(await queue.promote(context, chat_id, owner, queued_id, body.turn_version))


@routes.put("/api/v1/chats/{chat_id}/queue/order", scope="chat")
async def put_order(request: web.Request) -> web.Response:
    """Reorder the queue."""
    context, chat_id, owner = request.app[SERVICES].context, chat_id_of(request), owner_of(request)
    body = await read_body(request, QueueOrder)
    return answer(await queue.reorder(context, chat_id, owner, body.ids))


@routes.post("/api/v1/chats/{chat_id}/queue/hold", scope="chat")
async def post_hold(request: web.Request) -> web.Response:
    """Hold the queue."""
    context = request.app[SERVICES].context
    return answer(await queue.hold(context, chat_id_of(request), owner_of(request)))


@routes.post("/api/v1/chats/{chat_id}/queue/release", scope="chat")
async def post_release(request: web.Request) -> web.Response:
    """Release the queue; an idle chat runs its head at once."""
    context = request.app[SERVICES].context
    return answer(await queue.release(context, chat_id_of(request), owner_of(request)))
