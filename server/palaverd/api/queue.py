"""Routes of the queue."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from palaver.wire.queue import EditQueued, Promote, QueueAnswer, QueueOrder
from palaverd.api.access import Routes, owner_of
from palaverd.api.bodies import answer, asker, path_id, read_body
from palaverd.api.chats import known_model, user_message
from palaverd.api.services import SERVICES
from palaverd.store.locked import LockedChat
from palaverd.store.rows import wire_chat
from palaverd.store.sync import load_queue
from palaverd.store.transitions.queue import (
    edit_queued,
    hold_queue,
    promote_queued,
    release_queue,
    reorder_queued,
)
from palaverd.usecases.turns import take_back

routes = Routes()


@routes.patch("/api/v1/chats/{chat_id}/queue/{queued_id}", scope="chat")
async def patch_queued(request: web.Request) -> web.Response:
    """Edit a queued message; its place is kept."""
    body = await read_body(request, EditQueued)
    known_model(request.app[SERVICES].catalog, body.model)
    message = user_message(body.content, body.model, owner_of(request))
    queued_id = path_id(request, "queued_id")
    return await _queue(request, lambda chat: edit_queued(chat, queued_id, message))


@routes.delete("/api/v1/chats/{chat_id}/queue/{queued_id}", scope="chat")
async def delete_from_queue(request: web.Request) -> web.Response:
    """Take a message out of the queue; the answer carries it."""
    queued_id = path_id(request, "queued_id")
    removed = await take_back(
        request.app[SERVICES].door, request.match_info["chat_id"], asker(request), queued_id
    )
    return answer(removed)


@routes.post("/api/v1/chats/{chat_id}/queue/{queued_id}/promote", scope="chat")
async def post_promote(request: web.Request) -> web.Response:
    """Make a queued message the next one."""
    body, queued_id = await read_body(request, Promote), path_id(request, "queued_id")
    return await _queue(request, lambda chat: promote_queued(chat, queued_id, body.turn_version))


@routes.put("/api/v1/chats/{chat_id}/queue/order", scope="chat")
async def put_order(request: web.Request) -> web.Response:
    """Give the queue a new order."""
    body = await read_body(request, QueueOrder)
    return await _queue(request, lambda chat: reorder_queued(chat, body.ids))


@routes.post("/api/v1/chats/{chat_id}/queue/hold", scope="chat")
async def post_hold(request: web.Request) -> web.Response:
    """Hold the queue."""
    return await _queue(request, hold_queue)


@routes.post("/api/v1/chats/{chat_id}/queue/release", scope="chat")
async def post_release(request: web.Request) -> web.Response:
    """Release the queue; an idle chat runs its head at once."""
    return await _queue(request, release_queue)


async def _queue(request: web.Request, work: Callable[[LockedChat], None]) -> web.Response:
    chat_id = request.match_info["chat_id"]

    def change(chat: LockedChat) -> QueueAnswer:
        work(chat)
        queue = load_queue(chat.connection, chat_id)
        return QueueAnswer(chat=wire_chat(chat.row), queue=queue)

    applied = await request.app[SERVICES].door.apply(chat_id, change, owner=owner_of(request))
    return answer(applied.result)
