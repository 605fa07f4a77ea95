"""Routes of the queue, and of trying again."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from palaver.wire.messages import QueuedMessage
from palaver.wire.queue import (
    Acted,
    ChangeChat,
    EditQueued,
    Promote,
    QueueAnswer,
    QueueOrder,
    Resume,
    SkipBackoff,
)
from palaverd.api.bodies import answer, path_id, read_body
from palaverd.api.chats import known_model, user_message
from palaverd.api.problems import BadRequest
from palaverd.api.services import SERVICES, owner_of
from palaverd.store.codec import to_ms
from palaverd.store.locked import LockedChat
from palaverd.store.rows import wire_chat
from palaverd.store.settings import change_chat
from palaverd.store.sync import load_queue
from palaverd.store.transitions.queue import (
    delete_queued,
    edit_queued,
    hold_queue,
    promote_queued,
    release_queue,
    reorder_queued,
)
from palaverd.store.transitions.recovering import resume, skip_backoff

routes = web.RouteTableDef()
TITLE_LIMIT = 200  # characters; a title is a line


@routes.patch("/api/v1/chats/{chat_id}/queue/{queued_id}")
async def patch_queued(request: web.Request) -> web.Response:
    """Edit a queued message; its place is kept."""
    body = await read_body(request, EditQueued)
    known_model(request.app[SERVICES].catalog, body.model)
    message = user_message(body.content, body.model, owner_of(request))
    queued_id = path_id(request, "queued_id")
    return await _queue(request, lambda chat: edit_queued(chat, queued_id, message))


@routes.delete("/api/v1/chats/{chat_id}/queue/{queued_id}")
async def delete_from_queue(request: web.Request) -> web.Response:
    """Take a message out of the queue; the answer carries it."""
    queued_id = path_id(request, "queued_id")
    return await _queue(request, lambda chat: delete_queued(chat, queued_id))


@routes.post("/api/v1/chats/{chat_id}/queue/{queued_id}/promote")
async def post_promote(request: web.Request) -> web.Response:
    """Make a queued message the next one."""
    body, queued_id = await read_body(request, Promote), path_id(request, "queued_id")
    return await _queue(request, lambda chat: promote_queued(chat, queued_id, body.turn_version))


@routes.put("/api/v1/chats/{chat_id}/queue/order")
async def put_order(request: web.Request) -> web.Response:
    """Give the queue a new order."""
    body = await read_body(request, QueueOrder)
    return await _queue(request, lambda chat: reorder_queued(chat, body.ids))


@routes.post("/api/v1/chats/{chat_id}/queue/hold")
async def post_hold(request: web.Request) -> web.Response:
    """Hold the queue."""
    return await _queue(request, hold_queue)


@routes.post("/api/v1/chats/{chat_id}/queue/release")
async def post_release(request: web.Request) -> web.Response:
    """Release the queue; an idle chat runs its head at once."""
    return await _queue(request, release_queue)


@routes.post("/api/v1/chats/{chat_id}/resume")
async def post_resume(request: web.Request) -> web.Response:
    """Try a failed turn again, now or at a time."""
    body = await read_body(request, Resume)
    if body.at is not None and body.at.tzinfo is None:
        raise BadRequest("at needs a time zone, as in 2030-01-01T09:00:00Z.", field="at")
    at = to_ms(body.at) if body.at is not None else None
    return await _act(request, lambda chat: resume(chat, body.turn_version, at))


@routes.post("/api/v1/chats/{chat_id}/skip-backoff")
async def post_skip_backoff(request: web.Request) -> web.Response:
    """Run a waiting retry now."""
    body = await read_body(request, SkipBackoff)
    return await _act(
        request, lambda chat: skip_backoff(chat, body.turn_version, body.retry_version)
    )


@routes.patch("/api/v1/chats/{chat_id}")
async def patch_chat(request: web.Request) -> web.Response:
    """Change what a person may change about a chat."""
    body = await read_body(request, ChangeChat)
    known_model(request.app[SERVICES].catalog, body.model)
    title = body.title
    if title is not None and not 0 < len(title.strip()) <= TITLE_LIMIT:
        raise BadRequest(f"A title has 1 to {TITLE_LIMIT} characters.", field="title")
    services = request.app[SERVICES]
    applied = await services.door.apply(
        request.match_info["chat_id"],
        lambda chat: change_chat(chat, title=title, model=body.model),
        owner=owner_of(request),
    )
    return answer(wire_chat(applied.row))


async def _queue(
    request: web.Request, work: Callable[[LockedChat], QueuedMessage | None]
) -> web.Response:
    chat_id = request.match_info["chat_id"]

    def change(chat: LockedChat) -> QueueAnswer:
        removed = work(chat)
        queue = load_queue(chat.connection, chat_id)
        return QueueAnswer(chat=wire_chat(chat.row), queue=queue, removed=removed)

    applied = await request.app[SERVICES].door.apply(chat_id, change, owner=owner_of(request))
    return answer(applied.result)


async def _act(request: web.Request, work: Callable[[LockedChat], str | None]) -> web.Response:
    applied = await request.app[SERVICES].door.apply(
        request.match_info["chat_id"], work, owner=owner_of(request)
    )
    return answer(
        Acted(chat=wire_chat(applied.row), changed=applied.changed, reason=applied.result)
    )
