"""Routes of the current turn: interrupt, retry, skip a wait, answer calls."""

from __future__ import annotations

from aiohttp import web

from palaver.wire.actions import Answers
from palaver.wire.chats import Interrupt
from palaver.wire.queue import Resume, SkipBackoff
from palaverd.api.access import Routes, owner_of
from palaverd.api.bodies import answer, asker, chat_id_of, moment, read_body
from palaverd.api.services import SERVICES
from palaverd.usecases import turns

routes = Routes()


@routes.post("/api/v1/chats/{chat_id}/interrupt", scope="chat")
async def post_interrupt(request: web.Request) -> web.Response:
    """Interrupt the turn that the client saw."""
    context, chat_id, owner = request.app[SERVICES].context, chat_id_of(request), owner_of(request)
    return answer(await turns.stop(context, chat_id, owner, await read_body(request, Interrupt)))


@routes.post("/api/v1/chats/{chat_id}/resume", scope="chat")
async def post_resume(request: web.Request) -> web.Response:
    """Retry a failed turn, now or at a given time."""
    context, chat_id = request.app[SERVICES].context, chat_id_of(request)
    body = await read_body(request, Resume)
    at = moment(body.at, "at") if body.at is not None else None
    return answer(await turns.try_again(context, chat_id, asker(request), body.turn_version, at))


@routes.post("/api/v1/chats/{chat_id}/skip-backoff", scope="chat")
async def post_skip_backoff(request: web.Request) -> web.Response:
    """Start a waiting retry now."""
    context, chat_id, owner = request.app[SERVICES].context, chat_id_of(request), owner_of(request)
    body = await read_body(request, SkipBackoff)
    return answer(await turns.skip_wait(context, chat_id, owner, body))


@routes.post("/api/v1/chats/{chat_id}/answers", scope="chat")
async def post_answers(request: web.Request) -> web.Response:
    """Answer calls that only a client can answer."""
    context, chat_id = request.app[SERVICES].context, chat_id_of(request)
    body = await read_body(request, Answers)
    return answer(await turns.answer_calls(context, chat_id, asker(request), body))
