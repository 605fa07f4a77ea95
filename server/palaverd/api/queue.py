"""Routes of the queue."""

from __future__ import annotations

from aiohttp import web

from palaver.wire.bounds import Whole
from palaver.wire.queue import EditQueued, Promote, QueueAnswer, QueueOrder
from palaverd.api.access import owner_of
from palaverd.api.problem_kinds import OF_MESSAGES
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.usecases import queue
from palaverd.usecases.keyed_requests import Asker

routes = Routes()


@routes.patch(
    "/api/v1/chats/{chat_id}/queue/{queued_id:[0-9]+}",
    scope="chat",
    problems=(
        *OF_MESSAGES,
        "refused",
        "not_in_queue",
    ),
)
async def patch_queued(
    request: web.Request, chat_id: str, queued_id: Whole, body: EditQueued
) -> QueueAnswer:
    """Replace a queued message's content; its position is kept."""
    context, owner = request.app[SERVICES].context, owner_of(request)
    return await queue.edit_queued(context, chat_id, owner, queued_id, body)


@routes.delete(
    "/api/v1/chats/{chat_id}/queue/{queued_id:[0-9]+}",
    scope="chat",
    problems=("refused", "not_in_queue"),
)
async def delete_from_queue(
    request: web.Request, chat_id: str, queued_id: Whole, asker: Asker
) -> QueueAnswer:
    """Remove a message from the queue; the response contains it."""
    return await queue.take_back(request.app[SERVICES].context, chat_id, asker, queued_id)


@routes.post(
    "/api/v1/chats/{chat_id}/queue/{queued_id:[0-9]+}/promote",
    scope="chat",
    problems=("refused", "not_in_queue"),
)
async def post_promote(
    request: web.Request, chat_id: str, queued_id: Whole, body: Promote
) -> QueueAnswer:
    """Make a queued message the next one."""
    context, owner = request.app[SERVICES].context, owner_of(request)
    return await queue.promote(context, chat_id, owner, queued_id, body.turn_version)


@routes.put(
    "/api/v1/chats/{chat_id}/queue/order",
    scope="chat",
    problems=("refused", "order_conflict"),
)
async def put_order(request: web.Request, chat_id: str, body: QueueOrder) -> QueueAnswer:
    """Reorder the queue."""
    context, owner = request.app[SERVICES].context, owner_of(request)
    return await queue.reorder(context, chat_id, owner, body.ids)


@routes.post("/api/v1/chats/{chat_id}/queue/hold", scope="chat", problems=("refused",))
async def post_hold(request: web.Request, chat_id: str) -> QueueAnswer:
    """Hold the queue."""
    return await queue.hold(request.app[SERVICES].context, chat_id, owner_of(request))


@routes.post("/api/v1/chats/{chat_id}/queue/release", scope="chat", problems=("refused",))
async def post_release(request: web.Request, chat_id: str) -> QueueAnswer:
    """Release the queue; an idle chat runs its head at once."""
    return await queue.release(request.app[SERVICES].context, chat_id, owner_of(request))
