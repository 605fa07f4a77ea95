"""Routes of the current turn: interrupt, retry, skip a wait, answer calls."""

from __future__ import annotations

from aiohttp import web

from palaver.wire.actions import Answered, Answers
from palaver.wire.chats import Interrupt, Interrupted
from palaver.wire.queue import Acted, Resume, SkipBackoff
from palaverd.api.access import owner_of
from palaverd.api.bodies import moment
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.usecases import turns
from palaverd.usecases.keyed_requests import Asker

routes = Routes()


@routes.post("/api/v1/chats/{chat_id}/interrupt", scope="chat")
async def post_interrupt(request: web.Request, chat_id: str, body: Interrupt) -> Interrupted:
    """Interrupt the turn that the client saw."""
    return await turns.stop(request.app[SERVICES].context, chat_id, owner_of(request), body)


@routes.post("/api/v1/chats/{chat_id}/resume", scope="chat", problems=("refused",))
async def post_resume(request: web.Request, chat_id: str, asker: Asker, body: Resume) -> Acted:
    """Retry a failed turn, now or at a given time."""
    context = request.app[SERVICES].context
    at = moment(body.at, "at") if body.at is not None else None
    return await turns.try_again(context, chat_id, asker, body.turn_version, at)


@routes.post("/api/v1/chats/{chat_id}/skip-backoff", scope="chat", problems=("refused",))
async def post_skip_backoff(request: web.Request, chat_id: str, body: SkipBackoff) -> Acted:
    """Start a waiting retry now."""
    return await turns.skip_wait(request.app[SERVICES].context, chat_id, owner_of(request), body)


@routes.post(
    "/api/v1/chats/{chat_id}/answers",
    scope="chat",
    problems=("stale_version", "unknown_call"),
)
async def post_answers(request: web.Request, chat_id: str, asker: Asker, body: Answers) -> Answered:
    """Answer calls that only a client can answer."""
    return await turns.answer_calls(request.app[SERVICES].context, chat_id, asker, body)
