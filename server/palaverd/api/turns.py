"""Routes about the present turn: try again, skip a wait, answer calls."""

from __future__ import annotations

from aiohttp import web

from palaver.wire.actions import Answers
from palaver.wire.queue import Acted, Resume, SkipBackoff
from palaverd.api.access import Routes, owner_of
from palaverd.api.bodies import answer, asker, moment, read_body
from palaverd.api.problems import BadRequest
from palaverd.api.services import SERVICES
from palaverd.store.codec import to_ms
from palaverd.store.rows import wire_chat
from palaverd.store.transitions.recovering import skip_backoff
from palaverd.usecases.turns import answer_calls, try_again

routes = Routes()


@routes.post("/api/v1/chats/{chat_id}/resume", scope="chat")
async def post_resume(request: web.Request) -> web.Response:
    """Try a failed turn again, now or at a time."""
    body = await read_body(request, Resume)
    at = to_ms(moment(body.at, "at")) if body.at is not None else None
    door = request.app[SERVICES].door
    chat_id = request.match_info["chat_id"]
    return answer(await try_again(door, chat_id, asker(request), body.turn_version, at))


@routes.post("/api/v1/chats/{chat_id}/skip-backoff", scope="chat")
async def post_skip_backoff(request: web.Request) -> web.Response:
    """Run a waiting retry now."""
    body = await read_body(request, SkipBackoff)
    applied = await request.app[SERVICES].door.apply(
        request.match_info["chat_id"],
        lambda chat: skip_backoff(chat, body.turn_version, body.retry_version),
        owner=owner_of(request),
    )
    acted = Acted(chat=wire_chat(applied.row), changed=applied.changed, reason=applied.result)
    return answer(acted)


@routes.post("/api/v1/chats/{chat_id}/answers", scope="chat")
async def post_answers(request: web.Request) -> web.Response:
    """Answer calls that only a client can answer."""
    body = await read_body(request, Answers)
    for given in body.answers:
        if (given.approved is None) == (given.text is None) and given.approved is not False:
            raise BadRequest(
                f"The answer to {given.call_id} is either approved or a text.", field="answers"
            )
    if not body.answers:
        raise BadRequest("There is no answer in this request.", field="answers")
    door = request.app[SERVICES].door
    chat_id = request.match_info["chat_id"]
    return answer(await answer_calls(door, chat_id, asker(request), body))
